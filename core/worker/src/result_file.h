// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "nbs/config/pipeline.h"

namespace nbs::worker {

/// What an ended run says of itself in result.json, as far as its model needs it.
struct RunResult {
  double threshold = 0;                      ///< from 0 to the next number above 1, with which nothing is anomalous
  std::map<std::string, std::string> model;  ///< SHA-256 of each file in model/, by its name
  nlohmann::ordered_json tuned_postproc;     ///< null unless the postprocessors were tuned; see values_from_json()
};

/// Reads the result.json of a run's folder, which may come from anybody. Throws nbs::Error, a sentence with the file
/// and what to do, if there is none, if it is damaged, or if the run left no model that can be read.
RunResult read_result(const std::filesystem::path& run_folder);

/// Option values as JSON and back.
nlohmann::ordered_json to_json(const std::vector<OptionValues>& values);
/// `chain` gives the options and their types. Throws nbs::Error if `json` does not belong to it.
std::vector<OptionValues> values_from_json(const nlohmann::ordered_json& json,
                                           const std::vector<config::ComponentSpec>& chain);

}  // namespace nbs::worker
