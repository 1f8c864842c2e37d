// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/config/sections.h"
#include "nbs/error.h"
#include "nbs/options.h"
#include "nbs/record/scores.h"
#include "nbs/record/seconds.h"
#include "nbs/record/stop_reason.h"

namespace nbs::record {

/// The number of the form of result.json that is written. Results without a number are of form 1 and are read too: they
/// call the stop reason "ending", and nothing but that must be in them.
constexpr std::int64_t kResultFormat = 2;

/// What tables are made of; repeated from the pipeline, so that a result can be kept on its own.
struct ExperimentLabels {
  std::string dataset;
  std::string method;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> split_seed;
  std::optional<std::int64_t> labeled;  ///< number of labeled images
};

/// The checkpoint that is kept.
struct KeptCheckpoint {
  std::optional<std::int64_t> iteration;
  std::optional<double> l_pred;  ///< smoothed; none if the predictor is not trained
};

/// F1 on the labeled images around the tuning of the postprocessors.
struct TuningF1 {
  std::optional<double> before;
  std::optional<double> after;
};

/// The reason of missing pictures while they are being written; later only if the run was killed in the middle of that.
constexpr const char* kPicturesCutOff = "the run was ended before all of them were written";

/// Pictures of predictions that could not be written.
struct MissingPictures {
  std::int64_t count = 0;
  std::vector<std::string> reasons;  ///< sentences that name the file, of the first few
};

/// What an ended run says of itself: result.json. One member for each of its keys.
struct RunResult {
  std::string name;
  ExperimentLabels experiment;
  StopReason stop_reason = StopReason::finished;
  std::string explanation;      ///< a sentence, if training diverged
  std::int64_t iterations = 0;  ///< done
  std::optional<KeptCheckpoint> checkpoint;
  std::optional<std::map<std::string, std::string>> model;  ///< SHA-256 of each file in model/, by its name
  std::string model_from;  ///< the name of the run's folder that the model was taken from; empty if it was trained
  std::string images;      ///< SHA-256 of the images and labeled masks; empty in results of older versions
  std::optional<std::vector<OptionValues>> tuned_postproc;  ///< of each postprocessor, if they were tuned
  std::optional<TuningF1> tuning_f1;                        ///< if they were tuned
  std::optional<config::ThresholdRule> threshold_rule;      ///< how the threshold was chosen
  std::optional<double> threshold;                          ///< none if training ended before there was a model
  std::optional<ExpectedScores> expected;                   ///< none without cross-fitting
  std::optional<Scores> scores;                             ///< none if no unlabeled image has a mask
  std::optional<MissingPictures> missing_pictures;          ///< none if all were written
  std::optional<Seconds> seconds;
  std::optional<double> peak_memory_mib;  ///< of the worker

  bool finished() const { return is_finished(stop_reason); }
  /// Whether the run was killed while it wrote its pictures.
  bool pictures_cut_off() const {
    return missing_pictures && missing_pictures->reasons.size() == 1 &&
           missing_pictures->reasons.front() == kPicturesCutOff;
  }
};

/// A score of the result's predictions, or the F1 that it expects of them; empty if it is undefined, or the predictions
/// were not compared with masks.
std::optional<double> score_of(const RunResult& result, Score score);

/// The file is whole, but a later version wrote it.
class NewerFormatError : public Error {
 public:
  using Error::Error;
};

/// In the form `kResultFormat`. What is undefined or not finite is null or left out, as docs/output.md says.
nlohmann::ordered_json to_json(const RunResult& result);

/// Reads every form up to `kResultFormat`. Throws nbs::Error, a clause that names the JSON pointer ("/scores/f1 is
/// "high", but a number or null is wanted"), for a missing key, a wrong type or an unknown word. Keys that it does not
/// know are left out.
RunResult run_result_from_json(const nlohmann::ordered_json& json);

}  // namespace nbs::record
