// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/predictor_trainer.h"

#include <utility>

#include <fmt/format.h>

#include "nbs/training/batches.h"
#include "nbs/training/divergence.h"
#include "nbs/training/prediction_loss.h"

namespace nbs::training {

PredictorTrainer::PredictorTrainer(Predictor& predictor, const TrainingImages& images, const Settings& settings,
                                   Random& random)
    : predictor_(predictor),
      images_(images),
      settings_(settings),
      random_(random),
      alpha_(predictor.learns() ? class_balance(settings.train, images.masks) : 0),
      buffer_(settings.buffer.capacity) {
  if (predictor_.learns() && images_.labelled == 0)
    throw Error("the predictor learns from labelled images, but data.labeled is 0; label at least one image");
  if (!predictor_.learns() && settings_.train.finish > 0) {
    throw Error(
        fmt::format("train.finish is {}, iterations in which only the predictor learns, but this predictor learns "
                    "nothing; set it to 0",
                    settings_.train.finish));
  }
  // It will read at the end what it saved at the best moment; if it cannot, that is better known now.
  State state;
  predictor_.save(state);
  predictor_.load(state);
}

void PredictorTrainer::add(std::vector<BufferedProfile> profiles) {
  for (auto& profile : profiles)
    buffer_.push(std::move(profile));
}

std::optional<double> PredictorTrainer::train(std::int64_t iteration) {
  if (!predictor_.learns()) return std::nullopt;
  const bool from_profiles = predictor_.needs_profile();
  if (from_profiles && buffer_.empty()) return std::nullopt;
  const bool predictor_only = iteration >= settings_.train.iterations;
  if (!predictor_only && iteration % settings_.buffer.every != 0) return std::nullopt;
  const PredictionLoss loss = [this](const torch::Tensor& logits, const torch::Tensor& masks) {
    return prediction_loss(logits, masks, alpha_);
  };
  double total = 0;
  for (std::int64_t step = 0; step < settings_.buffer.steps; ++step) {
    const auto batch = from_profiles ? draw_profiles(buffer_, images_, settings_.profile, settings_.buffer,
                                                     settings_.augment, predictor_.needs_image(), random_)
                                     : draw_images(images_, settings_.buffer, settings_.augment, random_);
    const double step_loss = predictor_.learn(batch.input, batch.masks, loss);
    require_finite(step_loss, "l_pred", iteration, "a learning rate of the predictor that is too high");
    total += step_loss;
  }
  return total / static_cast<double>(settings_.buffer.steps);
}

}  // namespace nbs::training
