// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"

#include "scratch.h"
#include "variable.h"

namespace nbs::test {

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

}  // namespace nbs::test
