// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "nbs/evaluation/curve.h"
#include "nbs/evaluation/pixel_levels.h"
#include "nbs/evaluation/tolerance.h"
#include "nbs/record/scores.h"

namespace nbs::evaluation {

/// Counts of pixels at one threshold and what follows from them. A ratio without a denominator is 0.
struct Counts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;

  double precision() const;
  double recall() const;
  double f1() const;
  double iou() const;  ///< intersection over union of predicted and anomalous pixels
  Counts& operator+=(const Counts& other);
};

/// Counts of one image; a pixel is predicted anomalous if its probability is >= threshold.
Counts count(const ScoredImage& image, double threshold);

/// F1 of one image; an image without anomalous pixels has 1 if none is predicted and 0 otherwise.
double image_f1(const Counts& counts);

/// Scores images that are added one at a time, of which it keeps a line of text each; their pixels as PixelLevels does.
class Scorer {
 public:
  /// `seen_types`: kinds of defect among the labeled images. `folder`, `kept_bytes`: of PixelLevels.
  Scorer(double threshold, std::vector<std::string> seen_types, std::filesystem::path folder,
         std::size_t kept_bytes = std::size_t{32} << 20U);

  /// An image with its mask. Throws nbs::Error as PixelLevels does.
  void add(const ScoredImage& image);
  /// Of all that were added; areas are empty where undefined. Throws nbs::Error as PixelLevels does.
  record::Scores scores();
  std::int64_t images() const { return static_cast<std::int64_t>(scores_.by_image.size()); }
  PixelLevels& levels() { return levels_; }

 private:
  double threshold_;
  std::vector<std::string> seen_types_;
  record::Scores scores_;  // what is known of single images
  Counts pooled_;
  std::map<std::string, Counts> types_;
  std::map<std::string, std::int64_t> images_of_type_;
  std::vector<ScoredImage> image_level_;  // one "pixel" an image
  ToleranceF1 within_2_;
  ToleranceF1 within_5_;
  PixelLevels levels_;
};

/// Scores at the given threshold; areas are empty where undefined. `seen_types`: kinds of defect among the labeled
/// images.
record::Scores score(const std::vector<ScoredImage>& images, double threshold,
                     const std::vector<std::string>& seen_types);

}  // namespace nbs::evaluation
