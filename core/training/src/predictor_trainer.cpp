// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/predictor_trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "nbs/training/batches.h"
#include "nbs/training/divergence.h"
#include "nbs/training/prediction_loss.h"

namespace nbs::training {

namespace {

// Pixels that are no padding, and the anomalous ones among them.
struct Pixels {
  std::int64_t anomalous = 0;
  std::int64_t all = 0;

  double share() const { return static_cast<double>(anomalous) / static_cast<double>(all); }
};

Pixels pixels_of(const PseudoLabels& pseudo, const LabeledViews& labeled) {
  Pixels pixels;
  for (std::size_t i = 0; i < pseudo.views.size(); ++i) {
    pixels.anomalous += pseudo.anomalous_pixels[i];
    pixels.all += labeled.pixels(pseudo.views[i]);
  }
  return pixels;
}

double balance_of(const Settings& settings, const LabeledViews& labeled, const std::vector<std::int64_t>& taught,
                  const PseudoLabels* pseudo) {
  Pixels pixels;
  for (const auto view : taught) {
    pixels.anomalous += labeled.anomalous_pixels(view);
    pixels.all += labeled.pixels(view);
  }
  if (pseudo == nullptr || pseudo->views.empty()) {
    return class_balance(settings.train, static_cast<double>(pixels.anomalous),
                         static_cast<double>(pixels.all - pixels.anomalous));
  }
  const double share = settings.buffer.pseudo_labeled;
  const double anomalous = (1 - share) * pixels.share() + share * pixels_of(*pseudo, labeled).share();
  return class_balance(settings.train, anomalous, 1 - anomalous);
}

}  // namespace

std::int64_t planned_student_steps(const Settings& settings, double share) {
  return std::llround(share * static_cast<double>(settings.train.student_iterations)) * settings.buffer.steps;
}

std::int64_t planned_steps(const Settings& settings, bool from_profiles, double share) {
  const std::int64_t every = settings.buffer.every;
  const std::int64_t first = from_profiles ? (settings.profile.length - 1) * settings.profile.stride : 0;
  // Of the iterations 0 ... train.iterations - 1 those from `first` on that are multiples of `every`.
  const auto due = [every](std::int64_t before) { return (before + every - 1) / every; };
  const std::int64_t while_sampling = std::max<std::int64_t>(0, due(settings.train.iterations) - due(first));
  const std::int64_t turns = while_sampling + settings.train.predictor_iterations;
  return std::llround(share * static_cast<double>(turns)) * settings.buffer.steps;
}

PredictorTrainer::PredictorTrainer(Predictor& predictor, std::vector<std::int64_t> taught, const LabeledViews& labeled,
                                   const ProfileBuffer& profiles, const Settings& settings, Random& random,
                                   const PseudoLabels* pseudo)
    : predictor_(predictor),
      taught_(std::move(taught)),
      labeled_(labeled),
      profiles_(profiles),
      settings_(settings),
      random_(random),
      pseudo_(pseudo),
      alpha_(predictor.is_trainable() ? balance_of(settings, labeled, taught_, pseudo) : 0) {
  if (predictor_.is_trainable() && taught_.empty())
    throw Error("the predictor learns from labeled images, but data.labeled is 0; label at least one image");
  if (!predictor_.is_trainable() && settings_.train.predictor_iterations > 0) {
    throw Error(fmt::format(
        "train.predictor_iterations is {}, iterations in which only the predictor learns, but this predictor learns "
        "nothing; set it to 0",
        settings_.train.predictor_iterations));
  }
  // It will read at the end what it saved at the best checkpoint; if it cannot, that is better known now.
  State state;
  predictor_.save(state);
  predictor_.load(state);
}

std::vector<const BufferedProfile*> PredictorTrainer::taught_profiles() const {
  std::vector<const BufferedProfile*> found;
  for (std::int64_t i = 0; i < profiles_.size(); ++i) {
    const auto& profile = profiles_.at(i);
    if (std::find(taught_.begin(), taught_.end(), profile.image) != taught_.end()) found.push_back(&profile);
  }
  return found;
}

std::optional<double> PredictorTrainer::train(std::int64_t iteration) {
  if (!predictor_.is_trainable()) return std::nullopt;
  const bool from_profiles = predictor_.needs_profile();
  const auto profiles = from_profiles ? taught_profiles() : std::vector<const BufferedProfile*>();
  if (from_profiles && profiles.empty()) return std::nullopt;
  double total = 0;
  for (std::int64_t step = 0; step < settings_.buffer.steps; ++step) {
    const auto batch = from_profiles
                           ? draw_profiles(profiles, labeled_, settings_.profile, settings_.buffer, settings_.augment,
                                           predictor_.needs_image(), random_)
                           : draw_images(taught_, labeled_, pseudo_, settings_.buffer, settings_.augment, random_);
    const PredictionLoss loss = [&](const torch::Tensor& logits, const torch::Tensor& masks) {
      return prediction_loss(logits, masks, alpha_, batch.counted);
    };
    const double step_loss = predictor_.train_step(batch.input, batch.masks, loss);
    require_finite(step_loss, "l_pred", iteration, "a learning rate of the predictor that is too high");
    total += step_loss;
  }
  return total / static_cast<double>(settings_.buffer.steps);
}

double PredictorTrainer::prior_log_odds() const {
  const bool balanced = predictor_.is_trainable() && settings_.train.balance == config::ClassBalance::balanced;
  return balanced ? std::log(alpha_) : 0;
}

}  // namespace nbs::training
