// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <fmt/format.h>

#include "html.h"
#include "numbers.h"
#include "summary.h"

namespace nbs::report {

namespace {

std::string integer_text(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : std::string();
}

std::vector<const RunRecord*> pointers(const std::vector<RunRecord>& records) {
  std::vector<const RunRecord*> out;
  out.reserve(records.size());
  for (const auto& run : records)
    out.push_back(&run);
  return out;
}

// Programs want rl, not "rl".
std::string plain_option(const RunRecord& run, const std::string& name) {
  const Value* value = run.option(name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? option_text(run, name) : *text;
}

std::string rule_name(const record::RunResult& result) {
  return result.threshold_rule ? choice_name(*result.threshold_rule, config::threshold_rules()) : std::string();
}

}  // namespace

std::string place_below(const std::filesystem::path& folder, const RunRecord& run) {
  return run.folder.lexically_relative(folder).generic_string();
}

std::string counts_text(const std::vector<RunRecord>& records) {
  std::map<RunRecord::State, int> counts;
  for (const auto& run : records)
    ++counts[run.state];
  std::string text = fmt::format("{} run{}:", records.size(), records.size() == 1 ? "" : "s");
  bool first = true;
  for (const auto& [state, count] : counts) {
    text += fmt::format("{} {} {}", first ? "" : ",", count, state_name(state));
    first = false;
  }
  return text;
}

std::string summary_csv(const std::filesystem::path& folder, const std::vector<RunRecord>& records) {
  const auto varying = varying_options(pointers(records));
  std::string out = "run,name,state,dataset,method,seed,split_seed,labeled,iterations,best_iteration,best_l_pred,";
  out += "threshold_rule,threshold";
  for (const auto& column : record::score_infos())
    out += fmt::format(",{}", column.name);
  out += ",seconds,peak_memory_mib,revision";
  for (const auto& name : varying)
    out += "," + csv_text(name);
  out += "\n";
  for (const auto& run : records) {
    const auto result = run.result.value_or(record::RunResult{});
    const auto kept = result.checkpoint.value_or(record::KeptCheckpoint{});
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}", csv_text(place_below(folder, run)), csv_text(run.name),
                       state_name(run.state), csv_text(run.dataset), csv_text(run.method), integer_text(run.seed),
                       integer_text(run.split_seed), integer_text(run.labeled), run.iterations,
                       integer_text(kept.iteration), csv_number(kept.l_pred), csv_text(rule_name(result)),
                       csv_number(run.scored() ? run.scores()->threshold : std::nullopt));
    for (const auto& column : record::score_infos())
      out += "," + csv_number(run.score(column.score));
    out += fmt::format(",{},{},{}", csv_number(run.total_seconds()), csv_number(result.peak_memory_mib),
                       csv_text(run.provenance.revision));
    for (const auto& name : varying)
      out += "," + csv_text(plain_option(run, name));
    out += "\n";
  }
  return out;
}

std::string summary_markdown(const std::filesystem::path& folder, const std::vector<RunRecord>& records,
                             const std::vector<Group>& groups) {
  std::string out = fmt::format("{}. Means and sample standard deviations over the seeds of finished runs.\n\n",
                                counts_text(records));
  std::string heads = "| Pipeline | Runs |";
  std::string rule = "|---|---:|";
  for (const auto& column : record::score_infos()) {
    heads += fmt::format(" {} |", column.title);
    rule += "---:|";
  }
  out += heads + "\n" + rule + "\n";
  for (const auto& group : groups) {
    out += fmt::format("| {} | {} |", markdown_text(group.label), group.counted.size());
    for (const auto& column : record::score_infos())
      out += fmt::format(" {} |", mean_text(group.score(column.score)));
    out += "\n";
  }
  out +=
      "\n| Run | State | Seed | Split | F1 | Precision | Recall | Oracle F1 "
      "|\n|---|---|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& run : records) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_text(place_below(folder, run)),
                       state_name(run.state), integer_text(run.seed), integer_text(run.split_seed),
                       number_text(run.score(record::Score::f1)), number_text(run.score(record::Score::precision)),
                       number_text(run.score(record::Score::recall)), number_text(run.score(record::Score::oracle_f1)));
  }
  return out;
}

}  // namespace nbs::report
