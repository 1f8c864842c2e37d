// SPDX-License-Identifier: Apache-2.0
#include "specimen.h"

#include <utility>

#include "nbs/tensor.h"
#include "nbs/training/prediction_loss.h"

#include "pictures.h"

namespace nbs::plugin_test {

namespace {

constexpr std::int64_t kBatch = 4;

torch::Tensor number(double value) {
  return torch::tensor(value, torch::kFloat64);
}

// Tensors that were given to a plugin, each with a copy that it cannot reach.
class Given {
 public:
  torch::Tensor give(const char* what, const torch::Tensor& tensor) {
    given_.push_back({what, tensor, tensor.defined() ? tensor.clone() : tensor});
    return tensor;
  }
  std::string written() const {
    for (const auto& one : given_) {
      if (one.tensor.defined() && !torch::equal(one.tensor, one.copy)) return one.what;
    }
    return "";
  }

 private:
  struct One {
    const char* what;
    torch::Tensor tensor;
    torch::Tensor copy;
  };
  std::vector<One> given_;
};

class SamplerSpecimen : public Specimen {
 public:
  SamplerSpecimen(Made made)
      : Specimen(std::move(made.context)),
        sampler_(std::move(made.sampler)),
        labeled_(2, 2, facts().image_size, facts().patch_size),
        all_(4, 2, facts().image_size, facts().patch_size) {}

  Trace use(std::int64_t round) override {
    if (round % 4 == 0) sampler_->begin_cycle();
    labeled_.set_round(round);
    all_.set_round(round);
    std::vector<RolloutRequest> requests;
    if (learns()) requests.push_back({&labeled_, 5});
    requests.push_back({&all_, 8});
    const auto rollouts = sampler_->sample_all(requests);
    Trace trace;
    std::vector<RewardedRollout> rewarded;
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
      std::vector<std::int64_t> places;
      for (const auto& patch : rollouts[i].patches)
        places.insert(places.end(), {patch.image, patch.y, patch.x});
      trace.push_back(torch::tensor(places, torch::kInt64));
      rewarded.push_back(made_rewarded(rollouts[i], i));
    }
    if (learns()) {
      for (const auto& [name, value] : sampler_->train_step(rewarded))
        trace.push_back(number(value));
    }
    return trace;
  }
  std::string written() const override {
    for (const auto* scene : {&labeled_, &all_}) {
      if (const char* const what = scene->written()) return what;
    }
    return "";
  }
  Component& component() override { return *sampler_; }
  bool learns() override { return sampler_->is_trainable(); }

 private:
  std::shared_ptr<Sampler> sampler_;
  MadeScene labeled_;
  MadeScene all_;
};

class AutoencoderSpecimen : public Specimen {
 public:
  AutoencoderSpecimen(Made made) : Specimen(std::move(made.context)), autoencoder_(std::move(made.autoencoder)) {}

  Trace use(std::int64_t round) override {
    if (round % 4 == 0) autoencoder_->reset();
    const auto p = facts().patch_size;
    const auto seed = static_cast<std::uint64_t>(round);
    Trace trace = {number(autoencoder_->train_step(given_.give("the patches", made_images(kBatch, p, 2 * seed))))};
    trace.push_back(autoencoder_->pixel_loss(given_.give("the patches", made_images(kBatch, p, 2 * seed + 1))));
    return trace;
  }
  std::string written() const override { return given_.written(); }
  Component& component() override { return *autoencoder_; }
  bool learns() override { return true; }

 private:
  std::shared_ptr<Autoencoder> autoencoder_;
  Given given_;
};

class PredictorSpecimen : public Specimen {
 public:
  PredictorSpecimen(Made made) : Specimen(std::move(made.context)), predictor_(std::move(made.predictor)) {}

  Trace use(std::int64_t round) override {
    const auto seed = static_cast<std::uint64_t>(round);
    const auto size = facts().image_size;
    Trace trace;
    if (learns()) {
      // Training crops are smaller than images.
      const auto masks = given_.give("the masks", made_masks(kBatch, size / 2));
      trace.push_back(number(predictor_->train_step(input(kBatch, size / 2, 2 * seed), masks,
                                                    [](const torch::Tensor& logits, const torch::Tensor& truth) {
                                                      return training::prediction_loss(logits, truth, 1);
                                                    })));
    }
    trace.push_back(predictor_->logits(input(2, size, 2 * seed + 1)));
    return trace;
  }
  std::string written() const override { return given_.written(); }
  Component& component() override { return *predictor_; }
  bool learns() override { return predictor_->is_trainable(); }

 private:
  PredictorInput input(std::int64_t n, std::int64_t size, std::uint64_t seed) {
    auto made = predictor_input(*predictor_, facts(), n, size, seed);
    given_.give("the profiles", made.profile);
    given_.give("the images", made.image);
    return made;
  }

  std::shared_ptr<Predictor> predictor_;
  Given given_;
};

class PostprocessorSpecimen : public Specimen {
 public:
  PostprocessorSpecimen(Made made) : Specimen(std::move(made.context)), postprocessor_(std::move(made.postprocessor)) {}

  Trace use(std::int64_t round) override {
    const auto seed = static_cast<std::uint64_t>(round);
    const auto size = facts().image_size / 2;
    return {postprocessor_->apply(given_.give("the probabilities", made_probabilities(2, size, 2 * seed)),
                                  given_.give("the images", made_images(2, size, 2 * seed + 1)))};
  }
  std::string written() const override { return given_.written(); }
  Component& component() override { return *postprocessor_; }
  bool learns() override { return false; }

 private:
  std::shared_ptr<Postprocessor> postprocessor_;
  Given given_;
};

}  // namespace

bool same(const Trace& a, const Trace& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // What is no number is the same as itself here; that it is none, the contract's check tells.
    if (a[i].sizes() != b[i].sizes() || !torch::equal(torch::nan_to_num(a[i]), torch::nan_to_num(b[i]))) return false;
  }
  return true;
}

bool nearly_same(const torch::Tensor& a, const torch::Tensor& b) {
  constexpr double kRounding = 1e-3;
  if (a.sizes() != b.sizes()) return false;
  if (a.numel() == 0) return true;
  return (a - b).abs().max().item<double>() <= kRounding * (1e-3 + a.abs().max().item<double>());
}

Made make_component(const Subject& subject, const Context::Facts& facts, std::uint64_t seed,
                    const OptionValues& values) {
  Made made;
  auto seeded = facts;
  seeded.seed = seed;
  made.context = std::make_unique<Context>(seeded, [](const std::string&) {});
  const auto& [kind, name] = std::pair<Kind, const std::string&>(subject.plugin.kind, subject.plugin.name);
  auto& context = *made.context;
  const auto& file = subject.plugin.file;
  const auto& registry = *subject.registry;
  switch (kind) {
    case Kind::sampler:
      made.sampler = registry.make<Sampler>(name, values, context, "", file);
      break;
    case Kind::autoencoder:
      made.autoencoder = registry.make<Autoencoder>(name, values, context, "", file);
      break;
    case Kind::predictor:
      made.predictor = registry.make<Predictor>(name, values, context, "", file);
      break;
    case Kind::postprocessor:
      made.postprocessor = registry.make<Postprocessor>(name, values, context, "", file);
      break;
  }
  return made;
}

std::unique_ptr<Specimen> Specimen::make(const Subject& subject, const Context::Facts& facts, std::uint64_t seed,
                                         const OptionValues& values) {
  auto made = make_component(subject, facts, seed, values);
  if (made.sampler) return std::make_unique<SamplerSpecimen>(std::move(made));
  if (made.autoencoder) return std::make_unique<AutoencoderSpecimen>(std::move(made));
  if (made.predictor) return std::make_unique<PredictorSpecimen>(std::move(made));
  return std::make_unique<PostprocessorSpecimen>(std::move(made));
}

State Specimen::saved() {
  State state;
  component().save(state);
  return state;
}

void Specimen::resume(const State& state, const torch::Tensor& generator_state) {
  component().load(state);
  context_->generator().set_state(generator_state);
}

PredictorInput predictor_input(Predictor& predictor, const Context::Facts& facts, std::int64_t n, std::int64_t size,
                               std::uint64_t seed) {
  PredictorInput input;
  if (predictor.needs_profile()) input.profile = made_profiles(n, facts.profile_length, size, seed);
  if (predictor.needs_image()) input.image = made_images(n, size, seed);
  return input;
}

RewardedRollout made_rewarded(const Rollout& rollout, std::size_t index) {
  const auto rewards = [](const std::vector<Patch>& patches) {
    std::vector<double> values;
    values.reserve(patches.size());
    for (const auto& patch : patches)
      values.push_back((patch.image + patch.y + patch.x) % 2 == 0 ? 1 : -0.5);
    return values;
  };
  RewardedRollout rewarded = {&rollout, rewards(rollout.patches), index, {}};
  if (index > 0) return rewarded;
  for (const auto& alternatives : rollout.alternatives)
    rewarded.alternatives.push_back(rewards(alternatives));
  return rewarded;
}

}  // namespace nbs::plugin_test
