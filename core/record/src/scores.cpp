// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/scores.h"

#include <algorithm>

namespace nbs::record {

namespace {

std::optional<double> unless_nothing_to_find(const PixelScores& scores, const std::optional<double>& value) {
  return scores.nothing_to_find() ? std::nullopt : value;
}

std::optional<double> before_postproc(const Scores& scores, bool oracle) {
  if (!scores.before_postproc) return std::nullopt;
  const auto& before = *scores.before_postproc;
  return unless_nothing_to_find(before, oracle ? before.oracle.f1 : before.f1);
}

}  // namespace

const std::vector<ScoreInfo>& score_infos() {
  static const std::vector<ScoreInfo> kInfos = {
      {Score::f1, "f1", "F1", "F1"},
      {Score::precision, "precision", "Precision", "Precision"},
      {Score::recall, "recall", "Recall", "Recall"},
      {Score::oracle_f1, "oracle_f1", "Oracle F1", "Oracle"},
      {Score::expected_f1, "expected_f1", "Expected F1", "Expected"},
      {Score::f1_before_postproc, "f1_before_postproc", "F1 before postprocessing", "F1 raw"},
      {Score::oracle_f1_before_postproc, "oracle_f1_before_postproc", "Oracle F1 before postprocessing", "Oracle raw"},
      {Score::iou, "iou", "IoU", "IoU"},
      {Score::f1_tolerance_2, "f1_tolerance_2", "F1 with 2 pixels of tolerance", "F1 2 px"},
      {Score::f1_tolerance_5, "f1_tolerance_5", "F1 with 5 pixels of tolerance", "F1 5 px"},
      {Score::mean_image_f1, "mean_image_f1", "Mean F1 of images", "Image F1"},
      {Score::auroc, "auroc", "AUROC", "AUROC"},
      {Score::average_precision, "average_precision", "Average precision", "AP"},
      {Score::aupro, "aupro", "AUPRO", "AUPRO"},
      {Score::image_auroc, "image_auroc", "AUROC of images", "Image AUROC"},
  };
  return kInfos;
}

std::optional<double> score_of(const Scores& scores, Score score) {
  switch (score) {
    case Score::f1:
      return unless_nothing_to_find(scores, scores.f1);
    case Score::precision:
      return unless_nothing_to_find(scores, scores.precision);
    case Score::recall:
      return unless_nothing_to_find(scores, scores.recall);
    case Score::oracle_f1:
      return unless_nothing_to_find(scores, scores.oracle.f1);
    case Score::expected_f1:
      return std::nullopt;
    case Score::f1_before_postproc:
      return before_postproc(scores, false);
    case Score::oracle_f1_before_postproc:
      return before_postproc(scores, true);
    case Score::iou:
      return unless_nothing_to_find(scores, scores.iou);
    case Score::f1_tolerance_2:
      return unless_nothing_to_find(scores, scores.f1_tolerance_2);
    case Score::f1_tolerance_5:
      return unless_nothing_to_find(scores, scores.f1_tolerance_5);
    case Score::mean_image_f1:
      return scores.mean_image_f1;
    case Score::auroc:
      return scores.auroc;
    case Score::average_precision:
      return scores.average_precision;
    case Score::aupro:
      return scores.aupro;
    case Score::image_auroc:
      return scores.image_auroc;
  }
  return std::nullopt;
}

bool any_score(const Scores& scores) {
  const auto& s = scores;
  return s.f1 || s.precision || s.recall || s.iou || s.f1_tolerance_2 || s.f1_tolerance_5 || s.mean_image_f1 ||
         s.auroc || s.average_precision || s.aupro || s.image_auroc;
}

}  // namespace nbs::record
