// SPDX-License-Identifier: Apache-2.0
#include "outcome.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/base/print.h"

namespace nbs::cli {

namespace {

using Json = nlohmann::json;

// A number of the result, or that it is not defined: no anomalous pixel among the scored masks, or nothing else.
std::string number(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? fmt::format("{:.3f}", at->get<double>()) : "undefined";
}

std::string scores_text(const Json& result) {
  const auto at = result.find("scores");
  if (at == result.end() || !at->is_object())
    return fmt::format("{}, no scores", result.at("ending").get<std::string>());
  const Json& scores = *at;
  return fmt::format("F1 {} at threshold {} (oracle F1 {}), AUROC {}, average precision {}", number(scores, "f1"),
                     number(result, "threshold"), number(scores.at("oracle"), "f1"), number(scores, "auroc"),
                     number(scores, "average_precision"));
}

std::string missing_pictures_text(const Json& result) {
  const auto at = result.find("missing_pictures");
  if (at == result.end()) return "";
  const auto& reasons = at->at("reasons");
  return fmt::format("; {} of the pictures could not be written: {}", at->at("count").get<std::int64_t>(),
                     reasons.empty() ? "no reason is known" : reasons.front().get<std::string>());
}

}  // namespace

bool has_result(const std::filesystem::path& run_folder) {
  std::error_code failed;
  return std::filesystem::is_regular_file(run_folder / "result.json", failed);
}

std::string outcome_text(const std::filesystem::path& run_folder) {
  if (!has_result(run_folder)) return "no result";
  try {
    const auto result = Json::parse(read_file(run_folder / "result.json"));
    return scores_text(result) + missing_pictures_text(result);
  } catch (const std::exception& error) {
    return fmt::format("{} cannot be read ({})", (run_folder / "result.json").string(), error.what());
  }
}

void print_outcome(const std::filesystem::path& run_folder) {
  put_now(fmt::format("result: {}\n", outcome_text(run_folder)));
  std::error_code failed;
  if (std::filesystem::is_directory(run_folder / "predictions", failed))
    put_now(fmt::format("pictures: {}\n", (run_folder / "predictions").string()));
}

}  // namespace nbs::cli
