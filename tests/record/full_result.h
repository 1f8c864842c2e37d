// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "nbs/record/run_result.h"

namespace nbs::test {

inline record::PixelScores pixels(double precision, std::int64_t found) {
  return {precision, 0.5, std::nullopt, found, 2, 3};
}

// Everything that a result can hold, each number another one.
inline record::RunResult full_result() {
  record::RunResult result;
  result.name = "bottle";
  result.experiment = {"mvtec/bottle", "proposed", 3, 1, 5};
  result.stop_reason = record::StopReason::diverged;
  result.explanation = "the loss is nan";
  result.iterations = 120;
  result.checkpoint = {90, 0.125};
  result.model = {{"predictor.safetensors", std::string(64, 'a')}, {"sampler.safetensors", std::string(64, '0')}};
  result.model_from = "trained-01234567";
  result.images = std::string(64, 'e');
  result.tuned_postproc = {{{"times", std::int64_t{3}},
                            {"weight", 2.0},
                            {"both", true},
                            {"rule", std::string("a")},
                            {"sizes", std::vector<std::int64_t>{1, 2}},
                            {"shares", std::vector<double>{3.0, 0.5}},
                            {"names", std::vector<std::string>{"x"}}},
                           {}};
  result.tuning_f1 = {0.25, 0.375};
  result.threshold_rule = config::ThresholdRule::normal_area;
  result.threshold = 0.4375;
  record::ExpectedScores expected;
  static_cast<record::PixelScores&>(expected) = pixels(0.19, 16);
  expected.f1_low = 0.22;
  expected.f1_high = 0.23;
  expected.unlabeled = 78;
  expected.by_image.emplace_back().id = "broken_001";
  static_cast<record::PixelScores&>(expected.by_image[0]) = pixels(0.24, 17);
  result.expected = expected;
  record::Scores scores;
  static_cast<record::PixelScores&>(scores) = pixels(0.1, 11);
  scores.threshold = 0.4375;
  scores.iou = 0.21;
  scores.f1_tolerance_2 = 0.22;
  scores.f1_tolerance_5 = 0.23;
  scores.mean_image_f1 = 0.2;
  scores.auroc = 0.3;
  scores.average_precision = 0.4;
  scores.image_auroc = 0.6;
  scores.oracle = {0.7, 0.8};
  record::TypeScore type;
  static_cast<record::PixelScores&>(type) = pixels(0.15, 12);
  type.type = "broken";
  type.seen = true;
  type.images = 4;
  scores.by_type = {type};
  scores.seen_types = pixels(0.16, 13);
  scores.unseen_types = pixels(0.17, 14);
  record::ImageScore image;
  static_cast<record::PixelScores&>(image) = pixels(0.18, 15);
  image.id = "broken_000";
  image.type = "broken";
  scores.by_image = {image};
  scores.before_postproc = scores;
  scores.before_postproc->threshold = 0.9;
  scores.before_postproc->f1_tolerance_2 = 0.24;
  result.scores = scores;
  result.missing_pictures = {7, {"the disk is full"}};
  result.seconds = {1, 2, 3, 4, 4.5, 5, 6, 7};
  result.peak_memory_mib = 512.5;
  return result;
}

}  // namespace nbs::test
