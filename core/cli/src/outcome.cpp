// SPDX-License-Identifier: Apache-2.0
#include "outcome.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"

namespace nbs::cli {

std::string outcome_text(const std::filesystem::path& run_folder) {
  if (!std::filesystem::is_regular_file(run_folder / "result.json")) return "no result";
  const auto result = nlohmann::json::parse(read_file(run_folder / "result.json"));
  if (!result.contains("scores") || result.at("scores").is_null())
    return fmt::format("{}, no scores", result.at("ending").get<std::string>());
  const auto& scores = result.at("scores");
  return fmt::format("F1 {:.3f} at threshold {:.3f} (oracle F1 {:.3f}), AUROC {:.3f}, average precision {:.3f}",
                     scores.at("f1").get<double>(), result.at("threshold").get<double>(),
                     scores.at("oracle").at("f1").get<double>(), scores.at("auroc").get<double>(),
                     scores.at("average_precision").get<double>());
}

void print_outcome(const std::filesystem::path& run_folder) {
  fmt::print("result: {}\n", outcome_text(run_folder));
  if (std::filesystem::is_directory(run_folder / "predictions"))
    fmt::print("pictures: {}\n", (run_folder / "predictions").string());
}

}  // namespace nbs::cli
