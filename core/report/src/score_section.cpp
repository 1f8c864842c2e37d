// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "nbs/base/number.h"

#include "html.h"
#include "sections.h"

namespace nbs::report {

namespace {

using record::Score;

std::string card(const std::string& name, const std::string& value, const char* kind = "") {
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n", *kind == '\0' ? "" : fmt::format(" class=\"{}\"", kind),
                     escaped(name), escaped(value));
}

std::string cards(const RunRecord& run) {
  std::string out = "<dl class=\"cards\">\n";
  out += card("F1", number_text(run.score(Score::f1)), "main");
  out += card("Precision", number_text(run.score(Score::precision)));
  out += card("Recall", number_text(run.score(Score::recall)));
  out += card("IoU", number_text(run.score(Score::iou)));
  out += card("F1 with 2 pixels of tolerance", number_text(run.score(Score::f1_tolerance_2)));
  out += card("F1 with 5 pixels of tolerance", number_text(run.score(Score::f1_tolerance_5)));
  out += card("Mean F1 of images", number_text(run.score(Score::mean_image_f1)));
  out += card("AUROC of pixels", number_text(run.score(Score::auroc)));
  out += card("Average precision", number_text(run.score(Score::average_precision)));
  out += card("AUPRO", number_text(run.score(Score::aupro)));
  out += card("AUROC of images", number_text(run.score(Score::image_auroc)));
  if (run.score(Score::f1_before_postproc))
    out += card("F1 before postprocessing", number_text(run.score(Score::f1_before_postproc)));
  out += card("Oracle F1", number_text(run.score(Score::oracle_f1)), "oracle");
  return out + "</dl>\n";
}

std::string rule_text(const std::optional<config::ThresholdRule>& rule) {
  if (!rule) return "rule not recorded";
  switch (*rule) {
    case config::ThresholdRule::labeled_f1:
      return "chosen for the best F1 on the labeled images";
    case config::ThresholdRule::recall:
      return "chosen on the labeled images for the recall that was asked for";
    case config::ThresholdRule::precision:
      return "chosen on the labeled images for the precision that was asked for";
    case config::ThresholdRule::false_area:
      return "chosen on the labeled images by the area of false alarms";
    case config::ThresholdRule::fixed:
      return "fixed in the pipeline";
    case config::ThresholdRule::normal_area:
      return "chosen on anomaly-free images by the area of regions";
  }
  return {};
}

// Without anomalous pixels there is nothing to find: only false positives say something.
std::vector<Cell> type_row(const std::string& name, const std::string& seen, std::optional<std::int64_t> images,
                           const record::PixelScores& pixels) {
  const bool any = pixels.true_positives.value_or(0) + pixels.false_negatives.value_or(0) > 0;
  const auto ratio = [&](const std::optional<double>& value) { return number_cell(any ? value : std::nullopt); };
  return {text_cell(name),
          text_cell(seen),
          {images ? std::to_string(*images) : std::string(), true, false},
          ratio(pixels.precision),
          ratio(pixels.recall),
          ratio(pixels.f1),
          {pixels.false_positives ? std::to_string(*pixels.false_positives) : "–", true, false}};
}

bool has_pixels(const std::optional<record::PixelScores>& pixels) {
  return pixels && (pixels->true_positives.value_or(0) > 0 || pixels->false_positives.value_or(0) > 0 ||
                    pixels->false_negatives.value_or(0) > 0);
}

std::string types_table(const record::Scores& scores) {
  if (scores.by_type.empty()) return {};
  std::vector<std::vector<Cell>> rows;
  for (const auto& type : scores.by_type)
    rows.push_back(type_row(type.type, type.seen.value_or(false) ? "yes" : "no", type.images, type));
  for (const auto& [pixels, name] :
       {std::pair{scores.seen_types, "all seen types"}, {scores.unseen_types, "all unseen types"}}) {
    if (has_pixels(pixels)) rows.push_back(type_row(name, "", std::nullopt, *pixels));
  }
  return "<h2>By type of defect</h2>\n<p class=\"soft\">Seen: among the labeled images.</p>\n" +
         table({"Type", "Seen", "Images", "Precision", "Recall", "F1", "False positive pixels"}, rows);
}

}  // namespace

std::string standing(const RunRecord& run) {
  const std::string of =
      run.planned ? fmt::format("{} of {}", run.iterations, *run.planned) : fmt::format("{}", run.iterations);
  const std::string explanation = run.result ? run.result->explanation : std::string();
  switch (run.state) {
    case RunRecord::State::finished:
      if (run.result && run.result->stop_reason == record::StopReason::patience)
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
  if (!run.scored()) return "Nothing could be scored: no unlabeled image has a mask.";
  if (!run.nothing_to_find()) return {};
  const auto false_positives = run.scores()->false_positives.value_or(0);
  return fmt::format(
      "No scored mask shows an anomaly, so precision, recall, F1 and IoU are undefined; {} normal pixels were "
      "predicted as anomalous.",
      false_positives);
}

std::string state_label(const RunRecord& run) {
  const char* name = record::state_name(run.state);
  return fmt::format("<span class=\"state {}\">{}</span>", name, name);
}

std::string heading_section(const RunRecord& run) {
  std::string out = fmt::format("<header>\n<h1>{} {}</h1>\n", escaped(run.name), state_label(run));
  std::vector<std::string> facts;
  if (!run.dataset.empty()) facts.push_back(run.dataset);
  if (!run.method.empty()) facts.push_back(run.method);
  if (run.labeled) facts.push_back(fmt::format("{} labeled images", *run.labeled));
  if (run.seed) facts.push_back(fmt::format("seed {}", *run.seed));
  if (run.split_seed) facts.push_back(fmt::format("split {}", *run.split_seed));
  facts.push_back(standing(run));
  std::string line;
  for (const auto& fact : facts)
    line += (line.empty() ? "" : " · ") + escaped(fact);
  out += "<p class=\"soft\">" + line + "</p>\n";
  auto remarks = run.remarks;
  if (run.result) {
    if (const auto& from = run.result->model_from; !from.empty())
      remarks.push_back(fmt::format("The model is that of the run {}; it was not trained again.", from));
    if (const auto& missing = run.result->missing_pictures) {
      remarks.push_back(fmt::format("{} pictures could not be written: {}", missing->count,
                                    missing->reasons.empty() ? "no reason is known" : missing->reasons.front()));
    }
  }
  for (const auto& remark : remarks)
    out += "<p class=\"remark\">" + escaped(remark) + "</p>\n";
  return out + "</header>\n";
}

namespace {

// The labeled image with what was predicted for it, or its numbers alone if there is no picture.
std::string labeled_figure(const RunRecord& run, const record::ImageScore& image) {
  const auto file = "labeled/" + image.id + ".overlay.png";
  std::error_code ignored;
  const auto picture = std::filesystem::exists(run.folder / file, ignored)
                           ? fmt::format(
                                 "<a href=\"{0}\"><img src=\"{0}\" alt=\"{1} with the predicted region\" "
                                 "loading=\"lazy\"></a>",
                                 link_to(file), escaped(image.id))
                           : std::string();
  return fmt::format("<figure>{}<figcaption><b>{}</b>{}<br>precision {}, recall {}</figcaption></figure>\n", picture,
                     number_text(image.f1, 2), escaped(image.id), number_text(image.precision, 2),
                     number_text(image.recall, 2));
}

// What the estimate comes from.
std::string basis_of(const record::ExpectedScores& expected) {
  const auto pictures = fmt::format(
      "the {} labeled images below, each masked by a predictor that was not taught it, at the threshold that the "
      "others "
      "give",
      expected.by_image.size());
  if (!expected.unlabeled) {
    return fmt::format(
        "From {}. In brackets: where nine of ten resamples of these images lie, moved apart as so few ask for; that is "
        "rough, "
        "and "
        "it holds for images like these.",
        pictures);
  }
  return fmt::format(
      "An estimate for the {} unlabeled images, without their masks: how sure the predictors are of them, and, from "
      "{}, "
      "what that is worth. In brackets: where the F1 should lie nine times of ten. With so few labeled images that is "
      "rough: kinds of anomalies that none of them shows may be missed without a doubt.",
      *expected.unlabeled, pictures);
}

}  // namespace

std::string expected_section(const RunRecord& run) {
  if (!run.result || !run.result->expected) return {};
  const auto& expected = *run.result->expected;
  std::string out = fmt::format("<h2>What to expect</h2>\n<p>Expected F1 <b>{}</b> ({} to {}){}</p>\n",
                                number_text(expected.f1), number_text(expected.f1_low), number_text(expected.f1_high),
                                run.scored() && !run.nothing_to_find()
                                    ? fmt::format("; measured <b>{}</b>", number_text(run.score(Score::f1)))
                                    : "");
  out += fmt::format("<p class=\"soft\">{}</p>\n", basis_of(expected));
  out += "<div class=\"gallery\">\n";
  for (const auto& image : expected.by_image)
    out += labeled_figure(run, image);
  return out + "</div>\n";
}

std::string score_section(const RunRecord& run) {
  const auto remark = score_remark(run);
  if (!run.scored()) {
    return "<p class=\"soft\">There are no scores: no prediction has been compared with a mask." +
           (remark.empty() ? "" : " " + escaped(remark)) + "</p>\n";
  }
  const auto& scores = *run.scores();
  std::string out = "<h2>Scores</h2>\n" + cards(run);
  if (!remark.empty()) out += "<p class=\"remark\">" + escaped(remark) + "</p>\n";
  if (!run.score(Score::auroc) || !run.score(Score::image_auroc)) {
    out +=
        "<p class=\"soft\">A dash stands for what is undefined here: areas under curves need anomalous and normal "
        "pixels (for images: anomalous and normal images) among the scored masks.</p>\n";
  }
  if (!scores.iou) {
    out +=
        "<p class=\"soft\">The version of the program that wrote this result did not compute IoU and F1 with "
        "tolerance.</p>\n";
  }
  out += fmt::format(
      "<p class=\"soft\">Precision, recall, F1 and IoU count the pixels of all unlabeled images together, at the "
      "threshold {} ({}). With a tolerance, a predicted pixel is correct if an anomalous one lies no further away than "
      "that, and an anomalous pixel is found if a predicted one does. The oracle chooses the threshold{} on the scored "
      "masks themselves: an upper bound for these probabilities, not a result.</p>\n",
      scores.threshold ? threshold_text(*scores.threshold) : number_text(scores.threshold),
      escaped(rule_text(run.result->threshold_rule)),
      scores.oracle.threshold ? " " + threshold_text(*scores.oracle.threshold) : "");
  return out + types_table(scores);
}

}  // namespace nbs::report
