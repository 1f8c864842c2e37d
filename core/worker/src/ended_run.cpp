// SPDX-License-Identifier: Apache-2.0
#include "ended_run.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/record/run_directory.h"

namespace nbs::worker {

namespace {

constexpr const char* kAdvice = "copy the run's folder again, or run it again";

[[noreturn]] void damaged(const record::RunDirectory& run, const std::string& reason) {
  throw Error(fmt::format("{} is damaged: {}; {}", run.result().string(), reason, kAdvice));
}

void check_model(const record::RunDirectory& run, const record::RunResult& result) {
  if (result.model) return;
  const auto old = run.model() / "predictor.pt";
  std::error_code ignored;
  if (std::filesystem::exists(old, ignored)) {
    throw Error(fmt::format(
        "the model {} was made by an earlier version of nbs, whose files can run code when they are loaded, "
        "so it is not read; run {} again",
        old.string(), run.resolved().string()));
  }
  damaged(run, "it names no files of a model");
}

// A value as one of the type of an option; nothing is rounded, and only an integer is taken for a real number. A list
// without elements has no type of its own.
std::optional<Value> of_type(const Value& value, ValueType type) {
  if (type_of(value) == type) return value;
  const auto* const integer = std::get_if<std::int64_t>(&value);
  if (integer != nullptr && type == ValueType::real) return static_cast<double>(*integer);
  const auto* const integers = std::get_if<std::vector<std::int64_t>>(&value);
  if (integers == nullptr) return std::nullopt;
  if (type == ValueType::reals) return std::vector<double>(integers->begin(), integers->end());
  if (type == ValueType::texts && integers->empty()) return std::vector<std::string>();
  return std::nullopt;
}

OptionValues values_of_link(const OptionValues& tuned, const config::ComponentSpec& spec) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(fmt::format("the tuned options of {} in the run's result {}; {}", spec.plugin, reason, kAdvice));
  };
  if (tuned.size() != spec.values.size())
    refuse(fmt::format("are {}, but {} are wanted", tuned.size(), spec.values.size()));
  OptionValues values = spec.values;
  for (auto& [name, value] : values) {
    const auto given =
        std::find_if(tuned.begin(), tuned.end(), [&, &wanted = name](const auto& own) { return own.first == wanted; });
    if (given == tuned.end()) {
      refuse(fmt::format("lack {}", name));
      continue;
    }
    auto fitting = of_type(given->second, type_of(value));
    if (!fitting) refuse(fmt::format("have {} = {}, which is of another type", name, to_text(given->second)));
    value = std::move(*fitting);
  }
  return values;
}

}  // namespace

record::RunResult read_ended_run(const std::filesystem::path& run_folder) {
  const record::RunDirectory run(run_folder);
  auto result = run.read_result();
  if (!result.threshold && !result.checkpoint) {
    if (result.stop_reason == record::StopReason::diverged) {
      throw Error(
          fmt::format("the run {} diverged before there was a checkpoint worth keeping, so it has no model; lower "
                      "the learning rate that its result.json speaks of and run it again",
                      run_folder.string()));
    }
    throw Error(fmt::format("the run {} ended before any profile was full, so it has no model; run it longer",
                            run_folder.string()));
  }
  if (!result.threshold) damaged(run, "it has no threshold");
  if (!(*result.threshold >= 0 && *result.threshold <= std::nextafter(1.0, 2.0)))
    damaged(run, fmt::format("its threshold is {}, but a probability from 0 to 1 is wanted", *result.threshold));
  check_model(run, result);
  return result;
}

std::vector<OptionValues> tuned_values(const std::vector<OptionValues>& tuned,
                                       const std::vector<config::ComponentSpec>& chain) {
  if (tuned.size() != chain.size()) {
    throw Error(fmt::format("the run's result has tuned options of {} postprocessors, but the pipeline has {}; {}",
                            tuned.size(), chain.size(), kAdvice));
  }
  std::vector<OptionValues> all;
  for (std::size_t i = 0; i < chain.size(); ++i)
    all.push_back(values_of_link(tuned[i], chain[i]));
  return all;
}

}  // namespace nbs::worker
