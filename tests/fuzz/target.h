// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nbs::fuzz {

/// A valid input that others are made from by mutation.
struct Seed {
  std::string name;  ///< its ending is that of the scratch file
  std::string bytes;
};

/// A reader under attack. To add one: write a function that returns it, and name that function in targets.cpp.
struct Target {
  std::string name;
  bool is_text = false;  ///< text is also mutated by lines, words and numbers
  std::vector<Seed> seeds;
  std::vector<std::string> words;  ///< of the format, inserted as they are
  /// Hands one input to the reader; `scratch` is an empty folder for it. A value or an nbs::Error is right, any other
  /// exception is a failure; so are a crash, seconds without end and memory without end.
  std::function<void(const Seed& input, const std::filesystem::path& scratch)> read;
};

Target toml_target();
Target override_target();
Target npy_target();
Target image_target();
Target mat_target();
Target metrics_target();
Target result_target();
Target diagnostics_target();
Target model_target();
Target checkpoint_target();

/// The targets of this program: nbs-fuzz has those without LibTorch, nbs-fuzz-model those of model files and
/// checkpoints.
std::vector<Target> targets();

}  // namespace nbs::fuzz
