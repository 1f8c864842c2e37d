// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nbs/base/files.h"

#include "run_program.h"
#include "scratch.h"

namespace nbs::test {

/// What a program left: its exit status and what it wrote.
struct Ended {
  int status = 0;
  std::string output;
  std::string errors;
};

/// The real nbs in a folder of its own, which is also its current folder and holds its cache.
class Program {
 public:
  /// Runs nbs with these words, none of which may hold a quote. `before` is shell text in front, for example a limit.
  Ended operator()(const std::vector<std::string>& words, const std::string& before = "") const {
    const std::string place = "cd '" + folder_.path().string() + "' && export OMP_NUM_THREADS=1 XDG_CACHE_HOME='" +
                              cache().string() + "' && unset NBS_PLUGIN_PATH NBS_WORKER && ";
    const int status = run_program(NBS_PROGRAM, words, place + before, ">output.txt 2>errors.txt");
    return {status, nbs::read_file(folder_ / "output.txt"), nbs::read_file(folder_ / "errors.txt")};
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

/// A pipeline on generated images that trains in a fraction of a second. Lines may follow: it ends in [train].
inline std::string tiny_pipeline() {
  return R"(name = "tiny"
[data]
image_size = 32
labeled = 2
count = 6
[profile]
patch_size = 16
length = 2
[buffer]
batch = 2
crop = 16
[sampler]
plugin = "random"
[autoencoder]
plugin = "conv"
channels = [4, 8]
bottleneck = 4
[predictor]
plugin = "dilated"
dilations = [1, 2]
channels = 4
[train]
iterations = 6
patches = 8
clone_patches = 8
minibatch = 8
reinit_every = 0
warmup = 2
threads = 1
)";
}

}  // namespace nbs::test
