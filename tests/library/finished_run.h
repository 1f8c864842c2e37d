// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "program.h"
#include "tiny_pipeline.h"

namespace nbs::test {

/// `nbs` in a folder in which the folder "run" is a finished run, trained once for all tests of a program.
inline const Program& with_finished_run() {
  static const Program nbs;
  static const bool made = [] {
    nbs.folder().write("a.toml", tiny_pipeline() + "[[postproc]]\nplugin = \"morphology\"\n");
    const auto ended = nbs({"run", "a.toml", "--run-dir", "run", "--progress", "none"});
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    return true;
  }();
  REQUIRE(made);
  return nbs;
}

/// A run that looks at images in views of their own resolution, in the folder "tiled" beside it; without
/// postprocessors, which would hand out a small image in one piece.
inline std::string run_in_views() {
  static const bool made = [] {
    const auto& nbs = with_finished_run();
    // Generated images have no files to be read in parts; these are larger than a view.
    REQUIRE(nbs({"data", "a.toml", "--set", "data.image_size=48", "--export", "set"}).status == 0);
    const auto ended = nbs({"run", "a.toml", "--set", "data.format=folder", "--set", "data.root=set", "--set",
                            "data.resize=tiles", "--set", "postproc=[]", "--run-dir", "tiled", "--progress", "none"});
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    return true;
  }();
  REQUIRE(made);
  return (with_finished_run().folder() / "tiled").string();
}

inline std::string finished_run() {
  return (with_finished_run().folder() / "run").string();
}

/// A copy of the run that a test may damage.
inline std::filesystem::path copy_of_run(const std::string& name) {
  const std::filesystem::path copy = with_finished_run().folder() / name;
  std::filesystem::copy(finished_run(), copy, std::filesystem::copy_options::recursive);
  return copy;
}

}  // namespace nbs::test
