// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/autograd.h>

#include "nbs/autoencoder.h"
#include "nbs/context.h"
#include "nbs/draw.h"
#include "nbs/predictor.h"
#include "nbs/sampler.h"
#include "nbs/training/safetensors.h"
#include "nbs/training/trainer.h"

#include "torch_test.h"

// Small components whose every number can be followed by hand.

namespace nbs::test {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Reconstructs a pixel as gain x pixel + shift, each channel with its own two numbers; plain gradient descent.
class LinearAutoencoder : public Autoencoder {
 public:
  explicit LinearAutoencoder(std::uint64_t seed) : generator_(make_generator(seed)) {
    gain_ = torch::empty({3, 1, 1});
    shift_ = torch::empty({3, 1, 1});
    draw();
  }

  void reset() override {
    ++cycles;
    draw();
  }
  double train_step(const torch::Tensor& patches) override {
    ++steps;
    for (std::int64_t i = 0; i < patches.size(0); ++i)
      taught.push_back(patches[i].sum().item<double>());
    const auto error = patches * gain_ + shift_ - patches;
    const double loss = error.square().mean().item<double>();
    gain_.sub_((error * patches).mean({0, 2, 3}).view({3, 1, 1}), 0.2);
    shift_.sub_(error.mean({0, 2, 3}).view({3, 1, 1}), 0.2);
    if (steps == break_at_step) gain_.fill_(kNan);
    return loss;
  }
  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    ++evaluations;
    return (patches * gain_ + shift_ - patches).square().mean(1);
  }
  std::vector<torch::Tensor> state() override { return {gain_, shift_}; }
  void save(State& state) const override {
    state.write("gain", gain_);
    state.write("shift", shift_);
  }
  void load(const State& state) override {
    state.read_into("gain", gain_);
    state.read_into("shift", shift_);
  }
  at::Generator generator() const { return generator_; }

  std::vector<double> taught;  ///< the sum of each patch it learned from, in order
  std::int64_t cycles = 0;
  std::int64_t steps = 0;
  std::int64_t evaluations = 0;
  std::int64_t break_at_step = -1;  ///< after this step its parameters are no numbers

 private:
  void draw() {
    gain_.uniform_(0.2, 0.8, generator_);
    shift_.uniform_(-0.1, 0.1, generator_);
  }
  at::Generator generator_;
  torch::Tensor gain_;
  torch::Tensor shift_;
};

/// Uniformly random patches, each with itself and the same place in the next image as alternatives; notes what it is
/// rewarded with.
class NotingSampler : public Sampler {
 public:
  explicit NotingSampler(std::uint64_t seed) : generator_(make_generator(seed)), draw_(generator_) {}

  void begin_cycle() override { cycles_at.push_back(made); }
  Rollout sample(Scene& scene, std::int64_t count) override {
    ++made;
    Rollout rollout;
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t image = draw_.below(scene.image_count());
      const std::int64_t y = draw_.below(places);
      rollout.patches.push_back({image, y, draw_.below(places)});
      const auto& patch = rollout.patches.back();
      rollout.alternatives.push_back({patch, {(image + 1) % scene.image_count(), y, patch.x}});
    }
    return rollout;
  }
  bool is_trainable() const override { return true; }
  std::vector<std::pair<std::string, double>> train_step(const std::vector<RewardedRollout>& rollouts) override {
    Update update;
    for (const auto& rewarded : rollouts) {
      update.patches.push_back(rewarded.rollout->patches);
      update.rewards.push_back(rewarded.rewards);
      update.alternatives.push_back(rewarded.alternatives);
    }
    updates.push_back(std::move(update));
    const bool broken = static_cast<std::int64_t>(updates.size()) == break_at_update;
    return {{"gradient", broken ? kNan : 1.0}};
  }
  void save(State& state) const override { state.write_integer("updates", static_cast<std::int64_t>(updates.size())); }
  void load(const State& state) override {
    updates.resize(static_cast<std::size_t>(state.read_integer("updates", 0, 1000)));
  }
  at::Generator generator() const { return generator_; }

  struct Update {
    std::vector<std::vector<Patch>> patches;
    std::vector<std::vector<double>> rewards;
    std::vector<std::vector<std::vector<double>>> alternatives;
  };
  std::vector<Update> updates;
  std::int64_t break_at_update = -1;
  std::int64_t made = 0;                ///< rollouts
  std::vector<std::int64_t> cycles_at;  ///< rollouts made before each new cycle of the autoencoder

 private:
  at::Generator generator_;
  Draw draw_;
};

/// logit = slope x mean of the profile + shift; plain gradient descent on what it is given as Eq. 2.
class MeanPredictor : public Predictor {
 public:
  bool needs_profile() const override { return true; }
  bool needs_image() const override { return false; }
  bool is_trainable() const override { return teachable; }
  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override {
    parameters_.requires_grad_(true);
    const auto value = loss(forward(input), masks);
    const auto gradient = torch::autograd::grad({value}, {parameters_})[0];
    parameters_ = (parameters_.detach() - 0.5 * gradient).detach();
    ++steps;
    if (steps == break_at_step) return kNan;
    return steps <= static_cast<std::int64_t>(script.size()) ? script[static_cast<std::size_t>(steps - 1)]
                                                             : value.item<double>();
  }
  torch::Tensor logits(const PredictorInput& input) override { return forward(input).detach(); }
  void save(State& state) const override { state.write("parameters", parameters_); }
  void load(const State& state) override { parameters_ = state.read("parameters", {2}, torch::kFloat32).clone(); }

  bool teachable = true;
  std::vector<double> script;  ///< losses to report in place of the true ones
  std::int64_t steps = 0;
  std::int64_t break_at_step = -1;

 private:
  torch::Tensor forward(const PredictorInput& input) const {
    return input.profile.mean(1) * parameters_[0] + parameters_[1];
  }
  torch::Tensor parameters_ = torch::zeros({2});
};

/// What a component saves.
inline State saved(const Component& component) {
  State state;
  component.save(state);
  return state;
}

inline bool same_snapshots(const std::vector<training::Snapshot>& a, const std::vector<training::Snapshot>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t t = 0; t < a.size(); ++t) {
    for (std::size_t i = 0; i < a[t]->size(); ++i) {
      if (!torch::equal((*a[t])[i], (*b[t])[i])) return false;
    }
  }
  return true;
}

/// Whether two states have the same tensors, bit for bit.
inline bool same(const State& a, const State& b) {
  return training::to_safetensors(a) == training::to_safetensors(b);
}

inline bool same(const training::Cycle& a, const training::Cycle& b) {
  if (!same_snapshots(a.snapshots, b.snapshots) || a.reference.size() != b.reference.size()) return false;
  for (std::size_t t = 0; t < a.reference.size(); ++t) {
    if (!torch::equal(a.reference[t], b.reference[t])) return false;
  }
  return true;
}

/// Whether two checkpoints are the same, bit for bit.
inline bool same(const training::Checkpoint& a, const training::Checkpoint& b) {
  if (a.iteration != b.iteration || a.loss != b.loss || a.cycles.size() != b.cycles.size()) return false;
  for (std::size_t l = 0; l < a.cycles.size(); ++l) {
    if (!same(a.cycles[l], b.cycles[l])) return false;
  }
  if (a.folds.size() != b.folds.size()) return false;
  for (std::size_t k = 0; k < a.folds.size(); ++k) {
    if (a.folds[k].left_out != b.folds[k].left_out || !same(a.folds[k].predictor, b.folds[k].predictor)) return false;
  }
  return same(a.predictor, b.predictor) && same(a.sampler.value(), b.sampler.value());
}

/// Whether two runs reported the same numbers.
inline bool same(const std::vector<training::IterationReport>& a, const std::vector<training::IterationReport>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (record::metrics_line(a[i]) != record::metrics_line(b[i])) return false;
  }
  return true;
}

/// Random images with a bright square each; the first `labeled` have masks.
inline training::TrainingImages small_images(std::int64_t size, std::int64_t labeled, std::int64_t unlabeled,
                                             std::uint64_t seed) {
  auto generator = make_generator(seed);
  training::TrainingImages images;
  images.labeled = labeled;
  images.unlabeled = unlabeled;
  images.images = torch::rand({labeled + unlabeled, 3, size, size}, generator) * 0.5;
  images.masks = torch::zeros({labeled, size, size});
  for (std::int64_t i = 0; i < labeled + unlabeled; ++i) {
    const std::int64_t at = (3 * i) % (size - 4);
    images.images[i].slice(1, at, at + 4).slice(2, at, at + 4).add_(0.5);
    if (i < labeled) images.masks[i].slice(0, at, at + 4).slice(1, at, at + 4).fill_(1);
  }
  return images;
}

/// All images [N, 3, S, S].
inline torch::Tensor whole_of(const training::TrainingImages& images) {
  std::vector<torch::Tensor> all;
  for (std::int64_t i = 0; i < images.count(); ++i)
    all.push_back(images.image(i));
  return torch::stack(all);
}

/// Settings for images of 16 x 16 pixels: patches of 8, profiles of 3 maps.
inline training::Settings small_settings() {
  training::Settings settings;
  settings.profile.patch_size = 8;
  settings.profile.length = 3;
  settings.profile.stride = 1;
  settings.profile.transform = nbs::config::ProfileTransform::none;
  settings.profile.normalize = nbs::config::ProfileNormalization::mean;
  settings.buffer.steps = 1;
  settings.buffer.capacity = 8;
  settings.buffer.batch = 2;
  settings.buffer.crop = 8;
  settings.train.iterations = 20;
  settings.train.patches = 8;
  settings.train.clone_patches = 6;
  settings.train.minibatch = 4;
  settings.train.reinit_every = 8;
  settings.train.warmup = 2;
  settings.train.patience = 0;
  settings.train.selection = nbs::config::Selection::lowest_loss;
  settings.train.smoothing = nbs::config::Smoothing::ema;
  settings.reward.schedule = nbs::config::BetaSchedule::linear;
  settings.reward.anneal = 10;
  return settings;
}

/// The fakes together, and a trainer's run with them.
struct SmallRun {
  std::shared_ptr<NotingSampler> sampler = std::make_shared<NotingSampler>(11);
  std::shared_ptr<LinearAutoencoder> autoencoder = std::make_shared<LinearAutoencoder>(12);
  std::shared_ptr<MeanPredictor> predictor = std::make_shared<MeanPredictor>();
  std::vector<std::shared_ptr<MeanPredictor>> folds;
  std::vector<training::IterationReport> reports;

  void add_folds(std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k)
      folds.push_back(std::make_shared<MeanPredictor>());
  }
  training::Components components() const {
    return {sampler,   autoencoder,
            predictor, {folds.begin(), folds.end()},
            {},        {{"sampler", sampler->generator()}, {"autoencoder", autoencoder->generator()}}};
  }
  training::TrainingResult run(
      const training::TrainingImages& images, const training::Settings& settings, std::uint64_t seed = 5,
      const std::function<bool()>& interrupted = [] { return false; }) {
    training::Trainer trainer(images, components(), settings, seed);
    return trainer.run([this](const training::IterationReport& report) { reports.push_back(report); }, interrupted);
  }
};

}  // namespace nbs::test
