// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "nbs/data/sets.h"
#include "nbs/run/progress.h"
#include "nbs/training/inference.h"

#include "session.h"

namespace nbs::worker {

/// Probabilities after the postprocessors, of all images of a run.
struct Predictions {
  torch::Tensor labelled;    ///< [L, S, S]
  torch::Tensor unlabelled;  ///< [U, S, S]
  torch::Tensor auxiliary;   ///< [A, S, S]; only if the threshold rule needs them, else undefined
};

Predictions predict_all(Session& session, training::Inference& inference, const training::TrainingImages& images,
                        const std::vector<std::shared_ptr<Postprocessor>>& chain, run::Progress& progress);

/// The threshold by the pipeline's rule, from labelled (or auxiliary) images only.
double choose_threshold(const config::EvaluationOptions& options, const Predictions& predictions,
                        const training::TrainingImages& images);

/// Opens the masks of the unlabelled images and scores them; writes masks, probabilities and overlays below `folder`.
/// Returns the scores as JSON, null if there is no mask to score with.
nlohmann::ordered_json score_and_write(const std::filesystem::path& folder, const config::EvaluationOptions& options,
                                       const Predictions& predictions, double threshold,
                                       const training::TrainingImages& images, const data::TrainingSet& set,
                                       const data::ScoringSet& truth);

}  // namespace nbs::worker
