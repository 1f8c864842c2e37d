// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "nbs/config/pipeline.h"
#include "nbs/run/files.h"

#include "scratch.h"

namespace nbs::test {

/// Sets an environment variable for a scope.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

/// A shell script that stands for the worker while this object lives.
class FakeWorker {
 public:
  FakeWorker(const Scratch& scratch, const std::string& script)
      : program_(scratch.write("worker.sh", "#!/bin/sh\n" + script + "\n")),
        variable_("NBS_WORKER", program_.string()) {
    std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
  }
  const std::filesystem::path& program() const { return program_; }

 private:
  std::filesystem::path program_;
  Variable variable_;
};

/// The least that has a name, a seed and a resolved form.
inline config::Pipeline small_pipeline(const std::string& name, std::int64_t seed = 0) {
  config::Pipeline pipeline;
  pipeline.name = name;
  pipeline.seed = seed;
  return pipeline;
}

inline std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// Names of the entries of a folder, sorted.
inline std::vector<std::string> entries_of(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace nbs::test
