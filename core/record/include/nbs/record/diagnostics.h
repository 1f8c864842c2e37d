// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nbs::record {

// What explains a run: not how well it masks, but what its predictor was given, where its sampler looked, and what
// other thresholds would have done. A run keeps it in diagnostics.json. Nothing that a run computes depends on it.

/// The losses of many pixels in one loss map: 0 or more.
struct LossSummary {
  double mean = 0;
  double lower_quartile = 0;
  double median = 0;
  double upper_quartile = 0;
};

/// The losses of pixels of one kind in each of the T maps of a profile, oldest first.
struct PixelProfile {
  std::int64_t pixels = 0;        ///< of all images together
  std::vector<LossSummary> maps;  ///< T of them; empty without pixels
};

/// The profiles that the kept checkpoint gives, before they are normalized and transformed.
struct LossProfile {
  PixelProfile anomalous;
  PixelProfile normal;
};

/// How densely patches lay on an image, or on many, one over the other.
struct PatchDensity {
  std::string image;          ///< its id; empty for all images together
  std::int64_t patches = 0;   ///< how many
  std::vector<double> cells;  ///< row by row: the share of the patches that covers a point of the cell, its mean
};

/// The iterations in which the sampler was taught alike.
enum class SamplingPhase {
  cloning,       ///< beta > 0: the cloning reward counts
  after_cloning  ///< beta = 0; all iterations, if the sampler does not learn
};

struct SampledPhase {
  SamplingPhase phase = SamplingPhase::after_cloning;
  std::int64_t iterations = 0;
  PatchDensity all;                   ///< what the autoencoder learned from, on all images
  std::vector<PatchDensity> labeled;  ///< what the sampler was judged by, on each of the first labeled images
};

/// Where the sampler sampled.
struct SampledPlaces {
  std::int64_t side = 0;             ///< an image is divided into side x side cells
  bool learns = false;               ///< whether the sampler does
  std::vector<SampledPhase> phases;  ///< those that had an iteration, in order
};

/// No image is divided into more cells than this, squared.
constexpr std::int64_t kMostSide = 64;

struct PrecisionRecall {
  double threshold = 0;
  double precision = 0;
  double recall = 0;
};

/// Precision and recall of the scored pixels at many thresholds.
struct PrecisionRecallCurve {
  std::vector<PrecisionRecall> points;  ///< from the highest threshold to the lowest
  PrecisionRecall chosen;               ///< at the run's threshold
  PrecisionRecall oracle;               ///< at the threshold with the best F1
};

struct Diagnostics {
  std::optional<LossProfile> labeled_profile;  ///< of the labeled images; none without an autoencoder
  std::optional<LossProfile> scored_profile;   ///< of the scored images; none without scores
  std::optional<SampledPlaces> sampled;        ///< none without a sampler
  std::optional<PrecisionRecallCurve> curve;   ///< none without scores, or if nothing was to be found

  bool empty() const { return !labeled_profile && !scored_profile && !sampled && !curve; }
};

/// Numbers are kept with six significant digits.
nlohmann::ordered_json to_json(const Diagnostics& diagnostics);

/// Throws nbs::Error, a clause that names the JSON pointer, for a missing key, a wrong type, or lists that do not fit
/// each other. Keys that it does not know are left out.
Diagnostics diagnostics_from_json(const nlohmann::ordered_json& json);

}  // namespace nbs::record
