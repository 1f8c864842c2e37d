// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/postprocessor.h"
#include "nbs/predictor.h"
#include "nbs/sampler.h"

#include "subject.h"

namespace nbs::plugin_test {

/// Everything that a piece of use has given back, as tensors.
using Trace = std::vector<torch::Tensor>;

/// Whether both hold the same bits.
bool same(const Trace& a, const Trace& b);
/// Whether two tensors agree but for what another order of additions costs.
bool nearly_same(const torch::Tensor& a, const torch::Tensor& b);

/// An object of the plugin, behind the host's own checks, with a context of its own, and a piece of use that is alike
/// for all kinds: learn, where there is something to learn, and answer.
class Specimen {
 public:
  /// Throws nbs::Error if the plugin refuses the options, and host::Breach later for a broken promise.
  static std::unique_ptr<Specimen> make(const Subject& subject, const Context::Facts& facts, std::uint64_t seed,
                                        const OptionValues& values = {});
  virtual ~Specimen() = default;

  /// One piece of use; what is asked depends on `round` alone.
  virtual Trace use(std::int64_t round) = 0;
  /// What the object wrote into of all that it was given so far, or "".
  virtual std::string written() const = 0;
  virtual Component& component() = 0;
  virtual bool learns() = 0;

  /// As much of a checkpoint as is this object's: what it saves, and its generator.
  State saved();
  torch::Tensor generator_state() const { return context_->generator().get_state(); }
  void resume(const State& state, const torch::Tensor& generator_state);

  const Context::Facts& facts() const { return context_->facts(); }

 protected:
  explicit Specimen(std::unique_ptr<Context> context) : context_(std::move(context)) {}
  std::unique_ptr<Context> context_;
};

/// For checks of one kind; throws nbs::Error as make() does.
struct Made {
  std::unique_ptr<Context> context;
  std::shared_ptr<Sampler> sampler;
  std::shared_ptr<Autoencoder> autoencoder;
  std::shared_ptr<Predictor> predictor;
  std::shared_ptr<Postprocessor> postprocessor;
};
Made make_component(const Subject& subject, const Context::Facts& facts, std::uint64_t seed,
                    const OptionValues& values = {});

/// What a predictor is given: `n` profiles and images as far as it needs them, of `size` pixels.
PredictorInput predictor_input(Predictor& predictor, const Context::Facts& facts, std::int64_t n, std::int64_t size,
                               std::uint64_t seed);
/// A rollout with rewards as training gives them, without a meaning: those of alternatives for the first rollout of an
/// iteration alone, which is the one on labeled images.
RewardedRollout made_rewarded(const Rollout& rollout, std::size_t index);

}  // namespace nbs::plugin_test
