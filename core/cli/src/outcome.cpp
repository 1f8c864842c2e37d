// SPDX-License-Identifier: Apache-2.0
#include "outcome.h"

#include <fmt/format.h>

#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/record/run_directory.h"

namespace nbs::cli {

namespace {

// A number of the result, or that it is not defined: no anomalous pixel among the scored masks, or nothing else.
std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "undefined";
}

std::string scores_text(const record::RunResult& result) {
  const auto expected = result.expected ? expected_text(*result.expected) : std::string();
  if (!result.scores) {
    return choice_name(result.stop_reason, record::stop_reasons()) + ", " +
           (expected.empty() ? "no scores" : expected + ", nothing to compare it with");
  }
  const auto score = [&](record::Score wanted) { return number(record::score_of(*result.scores, wanted)); };
  return (expected.empty() ? "" : expected + "; measured: ") +
         fmt::format("F1 {} at threshold {} (oracle F1 {}), AUROC {}, average precision {}", score(record::Score::f1),
                     result.threshold ? threshold_text(*result.threshold) : "undefined",
                     score(record::Score::oracle_f1), score(record::Score::auroc),
                     score(record::Score::average_precision));
}

std::string missing_pictures_text(const record::RunResult& result) {
  if (!result.missing_pictures) return "";
  const auto& [count, reasons] = *result.missing_pictures;
  return fmt::format("; {} of the pictures could not be written: {}", count,
                     reasons.empty() ? "no reason is known" : reasons.front());
}

}  // namespace

std::string expected_text(const record::ExpectedScores& expected) {
  return fmt::format("expected F1 {} ({} to {})", number(expected.f1), number(expected.f1_low),
                     number(expected.f1_high));
}

std::string outcome_text(const std::filesystem::path& run_folder) {
  const record::RunDirectory run(run_folder);
  if (!run.has_result()) return "no result";
  try {
    const auto result = run.read_result();
    return scores_text(result) + missing_pictures_text(result);
  } catch (const std::exception& error) {
    return error.what();
  }
}

void print_outcome(const std::filesystem::path& run_folder) {
  put_now(fmt::format("result: {}\n", outcome_text(run_folder)));
  std::error_code failed;
  const auto pictures = record::RunDirectory(run_folder).predictions();
  if (std::filesystem::is_directory(pictures, failed)) put_now(fmt::format("pictures: {}\n", pictures.string()));
}

}  // namespace nbs::cli
