// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/wait.h>

#include "nbs/base/files.h"

#include "scratch.h"

namespace nbs::test {

/// What a program left: its exit status and what it wrote.
struct Ended {
  int status = 0;
  std::string output;
  std::string errors;
};

/// The real program that a test is about (NBS_PROGRAM: nbs or its worker) in a folder of its own, which is also its
/// current folder. It computes with one thread, and its cache of plugins is not the user's.
class Program {
 public:
  /// Runs the program with these words, none of which may hold a quote. `before` is shell text in front, for example a
  /// limit.
  Ended operator()(const std::vector<std::string>& words, const std::string& before = "") const {
    const int status = with_streams(words, ">output.txt 2>errors.txt", before);
    return {status, nbs::read_file(folder_ / "output.txt"), nbs::read_file(folder_ / "errors.txt")};
  }
  /// The same with its standard streams where the shell text `streams` says. Returns the exit status, 255 if a signal
  /// ended the shell.
  int with_streams(const std::vector<std::string>& words, const std::string& streams,
                   const std::string& before = "") const {
    std::string line = "cd '" + folder_.path().string() + "' && export OMP_NUM_THREADS=1 XDG_CACHE_HOME='" +
                       cache().string() + "' && unset NBS_PLUGIN_PATH NBS_WORKER && " + before + " '" NBS_PROGRAM "'";
    for (const auto& word : words)
      line += " '" + word + "'";
    const int status = std::system((line + " " + streams).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  }
  const Scratch& folder() const { return folder_; }

 private:
  // Shared, as plugins are described anew for every cache.
  static const std::filesystem::path& cache() {
    static const Scratch scratch;
    return scratch.path();
  }
  Scratch folder_;
};

}  // namespace nbs::test
