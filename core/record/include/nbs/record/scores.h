// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nbs::record {

// How well a run's predictions agree with the masks. Numbers are from 0 to 1 unless they are counts. What is undefined,
// or what an older version did not write, is empty.

/// The type of images that show no anomaly.
constexpr const char* kNormalType = "good";

/// Pixels at the run's threshold, and what follows from their counts.
struct PixelScores {
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<double> f1;
  std::optional<std::int64_t> true_positives;   ///< anomalous pixels predicted as such
  std::optional<std::int64_t> false_positives;  ///< normal pixels predicted as anomalous
  std::optional<std::int64_t> false_negatives;  ///< anomalous pixels not predicted as such

  /// Whether the masks are known to show no anomalous pixel: precision, recall, F1 and IoU then say nothing.
  bool nothing_to_find() const { return true_positives == 0 && false_negatives == 0; }
};

/// The best F1 over all thresholds, chosen on the scored masks themselves: an upper bound, not a result.
struct OracleScore {
  std::optional<double> f1;
  std::optional<double> threshold;
};

struct TypeScore : PixelScores {
  std::string type;                    ///< kind of defect
  std::optional<bool> seen;            ///< among the labeled images
  std::optional<std::int64_t> images;  ///< how many
};

struct ImageScore : PixelScores {
  std::string id;
  std::string type;  ///< empty if the data set names none
};

/// What a run expects of images without masks. The labeled images were masked by predictors that were not taught them,
/// each at the threshold that the others' maps alone give, so that a threshold is not judged where it was chosen.
/// Precision, recall, F1 and counts are estimates for the unlabeled images. Where their number is missing, they are of
/// the labeled images alone: weighted_scores(), with plain counts.
struct ExpectedScores : PixelScores {
  std::optional<double> f1_low;           ///< nine of ten times the measured F1 should be above,
  std::optional<double> f1_high;          ///< and below
  std::optional<std::int64_t> unlabeled;  ///< how many unlabeled images it is estimated for
  std::vector<ImageScore> by_image;       ///< an image's own F1 is 1 if nothing is to be found and nothing was
};

/// Scores over all images together.
struct ScoreSummary : PixelScores {
  std::optional<double> threshold;
  std::optional<double> iou;             ///< intersection over union of predicted and anomalous pixels
  std::optional<double> f1_tolerance_2;  ///< F1 that allows a distance of 2 pixels between prediction and truth
  std::optional<double> f1_tolerance_5;  ///< the same with 5 pixels
  std::optional<double> mean_image_f1;
  std::optional<double> auroc;
  std::optional<double> average_precision;
  std::optional<double> aupro;
  std::optional<double> image_auroc;  ///< of the images' largest probabilities, anomalous against normal images
  OracleScore oracle;
  std::optional<PixelScores> seen_types;  ///< where types have names; normal images are in neither
  std::optional<PixelScores> unseen_types;
};

/// All that is said of a run's predictions.
struct Scores : ScoreSummary {
  std::vector<TypeScore> by_type;
  std::vector<ImageScore> by_image;
  std::optional<ScoreSummary> before_postproc;  ///< without postprocessors, at a threshold chosen without them
};

/// The scores that tables show.
enum class Score {
  f1,
  precision,
  recall,
  oracle_f1,
  expected_f1,
  f1_before_postproc,
  oracle_f1_before_postproc,
  iou,
  f1_tolerance_2,
  f1_tolerance_5,
  mean_image_f1,
  auroc,
  average_precision,
  aupro,
  image_auroc
};

struct ScoreInfo {
  Score score;
  const char* name;   ///< for programs: the column of a CSV file
  const char* title;  ///< for people
  const char* brief;  ///< for people, where columns are many
};

/// All of them, in the order of all tables.
const std::vector<ScoreInfo>& score_infos();

/// One of them; empty if it is undefined. What counts found pixels (F1, also with tolerance,
/// precision, recall, IoU) is undefined without anomalous pixels. The expected F1 is no score of predictions and always
/// empty here: see score_of() of a result.
std::optional<double> score_of(const Scores& scores, Score score);

/// Whether predictions were compared with masks at all: one score is there, though others may be undefined.
bool any_score(const Scores& scores);

}  // namespace nbs::record
