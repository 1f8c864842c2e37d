// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs::worker {

// The commands of nbs-worker, called by nbs; each gets its arguments and returns the exit status. 0: done, 1: failed
// with the reason on standard error, 130: interrupted, with the results there were.

/// describe FOLDER…: the plugins in the folders, as JSON on standard output.
int describe(const std::vector<std::string>& arguments);
/// run RESOLVED --out FOLDER [--progress bar|lines|none] [--threads N]: trains, scores and writes a run.
int run(const std::vector<std::string>& arguments);
/// predict --out FOLDER [--threshold X] [--size native|model] [PLUGINS] -- RUN IMAGE…: masks images with a run's model.
/// PLUGINS: [--plugin-path FOLDERS] [--allow-changed-plugins yes], the folders one a line.
int predict(const std::vector<std::string>& arguments);
/// postproc RESOLVED --image I --probability P --out FILE: the pipeline's postprocessors on one map.
int postproc(const std::vector<std::string>& arguments);
/// tune [--plugin NAME] [PLUGINS] -- RUN: picks the postprocessors' options on the run's labeled images; prints them as
/// TOML.
int tune(const std::vector<std::string>& arguments);
/// data RESOLVED [--export FOLDER --layout LAYOUT]: what a pipeline's data set holds, as JSON; or writes generated
/// data.
int data(const std::vector<std::string>& arguments);
/// components FILE: makes the components of the pipelines in a JSON list of texts and says, as JSON, what they are or
/// why they cannot be made.
int components(const std::vector<std::string>& arguments);
/// test-plugin [--level N] [--seconds N] [--memory MIB] [--calls N] [--json yes] -- FILE…: tries the plugins of
/// libraries and reports.
int test_plugin(const std::vector<std::string>& arguments);

}  // namespace nbs::worker
