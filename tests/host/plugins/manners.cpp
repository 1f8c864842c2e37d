// SPDX-License-Identifier: Apache-2.0
// Plugins that do what the option `manner` says: "good", or one of the ways to break what their interface promises.
#include <limits>
#include <stdexcept>

#include "nbs/plugin.h"

namespace {

struct Options {
  std::string manner = "good";
  std::int64_t step = 3;

  static void declare(nbs::Schema<Options>& s) {
    s.add("manner", &Options::manner).doc("How it behaves.");
    s.add("step", &Options::step).range(1, 8).doc("Not used.");
  }
};

void misbehave(const std::string& manner) {
  if (manner == "throws") throw std::runtime_error("out of cheese");
  if (manner == "throws a number") throw 3;
  // LibTorch's own errors come with a stack trace that no user wants to see.
  if (manner == "wrong sizes") torch::zeros({2, 3}).add(torch::zeros({4, 5}));
  // What is the whole process' and not a plugin's.
  if (manner == "threads") at::set_num_threads(at::get_num_threads() + 1);
  if (manner == "gradients") torch::GradMode::set_enabled(!torch::GradMode::is_enabled());
  if (manner == "type") torch::set_default_dtype(caffe2::TypeMeta::Make<double>());
  if (manner == "generator") torch::rand({1});
}

// What it is only given to read; in place, though the tensor is const.
void write_into(const std::string& manner, const char* which, const torch::Tensor& tensor) {
  if (manner == std::string("writes ") + which) tensor.mul_(2);
}

// A tensor of the given shape that breaks a promise.
torch::Tensor broken(const std::string& manner, std::vector<std::int64_t> shape, double good) {
  misbehave(manner);
  if (manner == "none") return {};
  if (manner == "shape") shape.back() += 1;
  if (manner == "rank") shape.insert(shape.begin(), 1);
  auto tensor = torch::full(shape, good, manner == "double" ? torch::kFloat64 : torch::kFloat32);
  const auto last = tensor.numel() - 1;
  if (manner == "nan") tensor.view(-1)[last] = std::numeric_limits<float>::quiet_NaN();
  if (manner == "infinite") tensor.view(-1)[last] = std::numeric_limits<float>::infinity();
  if (manner == "below") tensor.view(-1)[last] = -0.25F;
  if (manner == "above") tensor.view(-1)[last] = 1.25F;
  return tensor;
}

class PoliteSampler : public nbs::Sampler {
 public:
  using Options = ::Options;
  PoliteSampler(const Options& options, nbs::Context&) : manner_(options.manner) {
    if (manner_ == "generator") torch::rand({1});  // as LibTorch's networks do when they are made
    if (manner_ == "stillborn") throw std::runtime_error("no memory for 3 petabytes");
  }
  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    misbehave(manner_);
    if (manner_ == "writes image") scene.image(1)[0].fill_(0);
    if (manner_ == "writes mask") scene.mask(0).fill_(0);
    if (manner_ == "writes loss") {
      scene.loss(0, 0, 0, 8, 8).fill_(1);
      scene.loss(0, 0, 0, 8, 8);
    }
    if (manner_ == "reads") {
      // The host's own writes into a map, between two looks, are no fault of the sampler.
      scene.loss(0, 0, 0, 8, 8);
      scene.loss(0, 8, 8, 8, 8).sum();
      scene.image(0).clone().fill_(0);
    }
    const std::int64_t last = scene.image_size() - scene.patch_size();
    nbs::Rollout rollout;
    if (manner_ == "few") --count;
    if (manner_ == "many") ++count;
    for (std::int64_t i = 0; i < count; ++i)
      rollout.patches.push_back({i % scene.image_count(), 0, last});
    auto& patch = rollout.patches[1];
    if (manner_ == "right") patch.x = last + 1;
    if (manner_ == "above") patch.y = -1;
    if (manner_ == "below") patch.y = last + 1;
    if (manner_ == "left") patch.x = -1;
    if (manner_ == "image") patch.image = scene.image_count();
    if (manner_ == "image before the first") patch.image = -1;
    if (manner_.find("alternative") != std::string::npos) {
      rollout.alternatives.assign(rollout.patches.size(), {{0, 0, 0}, {scene.image_count() - 1, last, last}});
      rollout.alternatives.front().clear();
      if (manner_ == "few alternatives") rollout.alternatives.pop_back();
      if (manner_ == "alternative to the right") rollout.alternatives[1][1] = {0, 0, last + 1};
      if (manner_ == "alternative in no image") rollout.alternatives[1][1].image = scene.image_count();
    }
    return rollout;
  }
  std::vector<nbs::Rollout> sample_all(const std::vector<nbs::RolloutRequest>& requests) override {
    auto rollouts = Sampler::sample_all(requests);
    if (manner_ == "rollouts") rollouts.pop_back();
    return rollouts;
  }
  bool is_trainable() const override { return true; }
  std::vector<std::pair<std::string, double>> train_step(const std::vector<nbs::RewardedRollout>&) override {
    misbehave(manner_);
    return {{"lessons", 1}};
  }

 private:
  std::string manner_;
};

class PoliteAutoencoder : public nbs::Autoencoder {
 public:
  using Options = ::Options;
  PoliteAutoencoder(const Options& options, nbs::Context&) : manner_(options.manner) {}
  static void check(const Options& options, const nbs::Context::Facts& facts) {
    if (facts.patch_size % options.step != 0) {
      throw nbs::Error("step is " + std::to_string(options.step) + ", which does not divide patches of " +
                       std::to_string(facts.patch_size) + " pixels");
    }
  }
  void reset() override { misbehave(manner_); }
  double train_step(const torch::Tensor& patches) override {
    misbehave(manner_);
    write_into(manner_, "patches", patches);
    return 0.5;
  }
  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    write_into(manner_, "patches", patches);
    return broken(manner_, {patches.size(0), patches.size(2), patches.size(3)}, 0.5);
  }
  std::vector<torch::Tensor> state() override {
    misbehave(manner_);
    return {};
  }

 private:
  std::string manner_;
};

class PolitePredictor : public nbs::Predictor {
 public:
  using Options = ::Options;
  PolitePredictor(const Options& options, nbs::Context&) : manner_(options.manner) {}
  bool needs_profile() const override { return true; }
  bool needs_image() const override { return false; }
  bool is_trainable() const override { return true; }
  double train_step(const nbs::PredictorInput& input, const torch::Tensor& masks, const nbs::PredictionLoss&) override {
    misbehave(manner_);
    write_into(manner_, "masks", masks);
    write_into(manner_, "profiles", input.profile);
    return 0.5;
  }
  void save(nbs::State& state) const override {
    misbehave(manner_);
    state.write("weights", torch::ones({2}));
  }
  void load(const nbs::State& state) override {
    misbehave(manner_);
    if (manner_ != "forgets") state.read("weights", {2}, torch::kFloat32);
  }
  torch::Tensor logits(const nbs::PredictorInput& input) override {
    write_into(manner_, "profiles", input.profile);
    const auto& given = input.profile.defined() ? input.profile : input.image;
    return broken(manner_, {given.size(0), given.size(2), given.size(3)}, -4);
  }

 private:
  std::string manner_;
};

class PolitePostprocessor : public nbs::Postprocessor {
 public:
  using Options = ::Options;
  PolitePostprocessor(const Options& options, nbs::Context&) : manner_(options.manner) {}
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) override {
    write_into(manner_, "probabilities", probabilities);
    write_into(manner_, "images", images);
    return broken(manner_, probabilities.sizes().vec(), 1);
  }

 private:
  std::string manner_;
};

}  // namespace

NBS_PLUGIN("manners", "1.2.3") {
  registrar.add<PoliteSampler>("polite", "A sampler with manners");
  registrar.add<PoliteAutoencoder>("polite", "An autoencoder with manners");
  registrar.add<PolitePredictor>("polite", "A predictor with manners");
  registrar.add<PolitePostprocessor>("polite", "A postprocessor with manners");
}
