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

}  // namespace

const std::vector<Column>& score_columns() {
  static const std::vector<Column> kColumns = {
      {"f1", "F1", "F1", "f1"},
      {"precision", "Precision", "Precision", "precision"},
      {"recall", "Recall", "Recall", "recall"},
      {"oracle.f1", "Oracle F1", "Oracle", "oracle_f1"},
      {"before_postproc.f1", "F1 before postprocessing", "F1 raw", "f1_before_postproc"},
      {"before_postproc.oracle.f1", "Oracle F1 before postprocessing", "Oracle raw", "oracle_f1_before_postproc"},
      {"mean_image_f1", "Mean F1 of images", "Image F1", "mean_image_f1"},
      {"auroc", "AUROC", "AUROC", "auroc"},
      {"average_precision", "Average precision", "AP", "average_precision"},
      {"aupro", "AUPRO", "AUPRO", "aupro"},
      {"image_auroc", "AUROC of images", "Image AUROC", "image_auroc"},
  };
  return kColumns;
}

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
  for (const auto& column : score_columns())
    out += fmt::format(",{}", column.name);
  out += ",seconds,peak_memory_mib,revision";
  for (const auto& name : varying)
    out += "," + csv_text(name);
  out += "\n";
  for (const auto& run : records) {
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}", csv_text(place_below(folder, run)), csv_text(run.name),
                       state_name(run.state), csv_text(run.dataset), csv_text(run.method), integer_text(run.seed),
                       integer_text(run.split_seed), integer_text(run.labelled), run.iterations,
                       integer_text(integer_at(run.result, "best.iteration")),
                       csv_number(number_at(run.result, "best.l_pred")),
                       csv_text(text_at(run.result, "threshold_rule")), csv_number(run.score("threshold")));
    for (const auto& column : score_columns())
      out += "," + csv_number(run.score(column.key));
    out += fmt::format(",{},{},{}", csv_number(number_at(run.result, "seconds.total")),
                       csv_number(number_at(run.result, "peak_memory_mib")),
                       csv_text(text_at(run.provenance, "revision")));
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
  for (const auto& column : score_columns()) {
    heads += fmt::format(" {} |", column.title);
    rule += "---:|";
  }
  out += heads + "\n" + rule + "\n";
  for (const auto& group : groups) {
    out += fmt::format("| {} | {} |", markdown_text(group.label), group.counted.size());
    for (const auto& column : score_columns())
      out += fmt::format(" {} |", mean_text(group.score(column.key)));
    out += "\n";
  }
  out +=
      "\n| Run | State | Seed | Split | F1 | Precision | Recall | Oracle F1 "
      "|\n|---|---|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& run : records) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_text(place_below(folder, run)),
                       state_name(run.state), integer_text(run.seed), integer_text(run.split_seed),
                       number_text(run.score("f1")), number_text(run.score("precision")),
                       number_text(run.score("recall")), number_text(run.score("oracle.f1")));
  }
  return out;
}

}  // namespace nbs::report
