// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "html.h"
#include "sections.h"

namespace nbs::report {

namespace {

std::string card(const std::string& name, const std::string& value, const char* kind = "") {
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n", *kind == '\0' ? "" : fmt::format(" class=\"{}\"", kind),
                     escaped(name), escaped(value));
}

std::string cards(const RunRecord& run) {
  std::string out = "<dl class=\"cards\">\n";
  out += card("F1", number_text(run.score("f1")), "main");
  out += card("Precision", number_text(run.score("precision")));
  out += card("Recall", number_text(run.score("recall")));
  out += card("Mean F1 of images", number_text(run.score("mean_image_f1")));
  out += card("AUROC of pixels", number_text(run.score("auroc")));
  out += card("Average precision", number_text(run.score("average_precision")));
  out += card("AUPRO", number_text(run.score("aupro")));
  out += card("AUROC of images", number_text(run.score("image_auroc")));
  if (run.score("before_postproc.f1"))
    out += card("F1 before postprocessing", number_text(run.score("before_postproc.f1")));
  out += card("Oracle F1", number_text(run.score("oracle.f1")), "oracle");
  return out + "</dl>\n";
}

std::string rule_text(const std::string& rule) {
  if (rule == "labeled_f1") return "chosen for the best F1 on the labelled images";
  if (rule == "fixed") return "fixed in the pipeline";
  if (rule == "normal_area") return "chosen on anomaly-free images by the area of regions";
  return rule.empty() ? std::string("rule not recorded") : rule;
}

// Without anomalous pixels there is nothing to find: only false positives say something.
std::vector<Cell> type_row(const std::string& name, const std::string& seen, std::optional<std::int64_t> images,
                           const Json& counts) {
  const auto found = integer_at(counts, "true_positives").value_or(0);
  const auto missed = integer_at(counts, "false_negatives").value_or(0);
  const auto false_positives = integer_at(counts, "false_positives");
  const auto ratio = [&](const char* key) {
    return number_cell(found + missed > 0 ? number_at(counts, key) : std::nullopt);
  };
  return {text_cell(name),
          text_cell(seen),
          {images ? std::to_string(*images) : std::string(), true, false},
          ratio("precision"),
          ratio("recall"),
          ratio("f1"),
          {false_positives ? std::to_string(*false_positives) : "–", true, false}};
}

bool has_pixels(const Json& counts) {
  for (const char* key : {"true_positives", "false_positives", "false_negatives"}) {
    if (integer_at(counts, key).value_or(0) > 0) return true;
  }
  return false;
}

std::string types_table(const Json& scores) {
  const Json& types = member(scores, "by_type");
  if (!types.is_array() || types.empty()) return {};
  std::vector<std::vector<Cell>> rows;
  for (const auto& type : types) {
    const Json& seen = member(type, "seen");
    rows.push_back(type_row(text_at(type, "type"), seen.is_boolean() && seen.get<bool>() ? "yes" : "no",
                            integer_at(type, "images"), type));
  }
  for (const auto& [key, name] : {std::pair{"seen_types", "all seen types"}, {"unseen_types", "all unseen types"}}) {
    if (has_pixels(member(scores, key))) rows.push_back(type_row(name, "", std::nullopt, member(scores, key)));
  }
  return "<h2>By type of defect</h2>\n<p class=\"soft\">Seen: among the labelled images.</p>\n" +
         table({"Type", "Seen", "Images", "Precision", "Recall", "F1", "False positive pixels"}, rows);
}

}  // namespace

std::string standing(const RunRecord& run) {
  const std::string of =
      run.planned ? fmt::format("{} of {}", run.iterations, *run.planned) : fmt::format("{}", run.iterations);
  const std::string explanation = text_at(run.result, "explanation");
  switch (run.state) {
    case RunRecord::State::finished:
      if (text_at(run.result, "ending") == "patience")
        return fmt::format("stopped by train.patience after {} iterations", of);
      return fmt::format("finished after {} iterations", run.iterations);
    case RunRecord::State::interrupted:
      return fmt::format("interrupted after {} iterations", of);
    case RunRecord::State::diverged:
      return fmt::format("diverged after {} iterations{}{}", of, explanation.empty() ? "" : ": ", explanation);
    case RunRecord::State::unfinished:
      return fmt::format("{} iterations so far, and no result: it still runs, or was ended from outside", of);
    case RunRecord::State::unreadable:
      return "the result is there but cannot be read";
  }
  return {};
}

std::string score_remark(const RunRecord& run) {
  if (run.state != RunRecord::State::finished) return {};
  if (!run.scored()) return "Nothing could be scored: no unlabelled image has a mask.";
  if (!run.nothing_to_find()) return {};
  const auto false_positives = integer_at(run.result, "scores.false_positives").value_or(0);
  return fmt::format(
      "No scored mask shows an anomaly, so precision, recall and F1 are undefined; {} normal pixels were predicted as "
      "anomalous.",
      false_positives);
}

std::string state_label(const RunRecord& run) {
  const char* name = state_name(run.state);
  return fmt::format("<span class=\"state {}\">{}</span>", name, name);
}

std::string heading_section(const RunRecord& run) {
  std::string out = fmt::format("<header>\n<h1>{} {}</h1>\n", escaped(run.name), state_label(run));
  std::vector<std::string> facts;
  if (!run.dataset.empty()) facts.push_back(run.dataset);
  if (!run.method.empty()) facts.push_back(run.method);
  if (run.labelled) facts.push_back(fmt::format("{} labelled images", *run.labelled));
  if (run.seed) facts.push_back(fmt::format("seed {}", *run.seed));
  if (run.split_seed) facts.push_back(fmt::format("split {}", *run.split_seed));
  facts.push_back(standing(run));
  std::string line;
  for (const auto& fact : facts)
    line += (line.empty() ? "" : " · ") + escaped(fact);
  out += "<p class=\"soft\">" + line + "</p>\n";
  for (const auto& remark : run.remarks)
    out += "<p class=\"remark\">" + escaped(remark) + "</p>\n";
  return out + "</header>\n";
}

std::string score_section(const RunRecord& run) {
  const auto remark = score_remark(run);
  if (!run.scored()) {
    return "<p class=\"soft\">There are no scores: no prediction has been compared with a mask." +
           (remark.empty() ? "" : " " + escaped(remark)) + "</p>\n";
  }
  const Json& scores = member(run.result, "scores");
  std::string out = "<h2>Scores</h2>\n" + cards(run);
  if (!remark.empty()) out += "<p class=\"remark\">" + escaped(remark) + "</p>\n";
  if (!run.score("auroc") || !run.score("image_auroc")) {
    out +=
        "<p class=\"soft\">A dash stands for what is undefined here: areas under curves need anomalous and normal "
        "pixels (for images: anomalous and normal images) among the scored masks.</p>\n";
  }
  out += fmt::format(
      "<p class=\"soft\">Precision, recall and F1 count the pixels of all unlabelled images together, at the threshold "
      "{} ({}). The oracle chooses the threshold{} on the scored masks themselves: an upper bound for these "
      "probabilities, not a result.</p>\n",
      number_text(run.score("threshold")), escaped(rule_text(text_at(run.result, "threshold_rule"))),
      run.score("oracle.threshold") ? " " + number_text(run.score("oracle.threshold")) : "");
  return out + types_table(scores);
}

}  // namespace nbs::report
