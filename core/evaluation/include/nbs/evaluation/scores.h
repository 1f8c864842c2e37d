// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/evaluation/curve.h"

namespace nbs::evaluation {

/// Counts of pixels at one threshold and what follows from them. A ratio without a denominator is 0.
struct Counts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;

  double precision() const;
  double recall() const;
  double f1() const;
  Counts& operator+=(const Counts& other);
};

/// Counts of one image; a pixel is predicted anomalous if its probability is >= threshold.
Counts count(const ScoredImage& image, double threshold);

/// F1 of one image; an image without anomalous pixels has 1 if none is predicted and 0 otherwise.
double image_f1(const Counts& counts);

struct ImageScore {
  std::string id;
  std::string type;
  Counts counts;
  double f1 = 0;
};

struct TypeScore {
  std::string type;
  bool seen = false;  ///< among the labelled images
  std::int64_t images = 0;
  Counts counts;  ///< false positives: those in the images of this type
};

/// All that is said of a run's predictions. Areas are NaN where undefined.
struct Scores {
  double threshold = 0.5;
  Counts pooled;  ///< over all images, as the paper's tables
  double mean_image_f1 = 0;
  double auroc = 0;
  double average_precision = 0;
  double aupro = 0;
  double image_auroc = 0;  ///< of the images' largest probabilities, anomalous against normal images
  BestF1 oracle;           ///< chosen on the scored masks: an upper bound, not a result
  std::vector<ImageScore> images;
  std::vector<TypeScore> types;
};

/// Scores at the given threshold. `seen_types`: kinds of defect among the labelled images.
Scores score(const std::vector<ScoredImage>& images, double threshold, const std::vector<std::string>& seen_types);

/// Keys as in the struct; NaN becomes null.
nlohmann::ordered_json to_json(const Scores& scores);

}  // namespace nbs::evaluation
