// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/checked.h"

#include <cmath>
#include <deque>
#include <utility>

#include "nbs/plugin.h"
#include "nbs/tensor.h"

#include "guard.h"
#include "watched.h"

namespace nbs::host {

namespace {

std::string shape_text(const torch::Tensor& tensor) {
  return tensor.defined() ? fmt::format("[{}]", fmt::join(tensor.sizes().vec(), ", ")) : "no tensor";
}

// A result of the given shape, float32, with finite values in [minimum, maximum].
void require(const Origin& origin, const char* method, const torch::Tensor& result,
             const std::vector<std::int64_t>& shape, double minimum, double maximum) {
  if (!result.defined() || result.sizes().vec() != shape) {
    breach(origin, method, fmt::format("returned {}, but [{}] is wanted", shape_text(result), fmt::join(shape, ", ")));
  }
  if (result.scalar_type() != torch::kFloat32)
    breach(origin, method, fmt::format("returned {}, but float32 is wanted", c10::toString(result.scalar_type())));
  if (result.numel() == 0) return;
  const auto [low, high] = torch::aminmax(result);
  const double least = low.item<double>();
  const double most = high.item<double>();
  // A NaN anywhere makes both NaN, and fails all comparisons.
  if (least >= minimum && most <= maximum) return;
  const auto reason =
      fmt::format("returned values from {} to {}, but {} to {} is wanted", least, most, minimum, maximum);
  if (!std::isfinite(least) || !std::isfinite(most)) throw NotFiniteError(sentence(origin, method, reason));
  breach(origin, method, reason);
}

constexpr double kLargest = 3.4e38;

// All of the state, so that another component's is not taken for this one's.
void load_all(const Origin& origin, Component& inner, const State& state) {
  guard(origin, "load", [&] {
    inner.load(state);
    state.require_all_read();
  });
}

// guard(), and none of the tensors that the plugin is given to read may be written to.
template <typename Function>
auto watching(const Origin& origin, const char* method, const std::vector<std::pair<const char*, torch::Tensor>>& given,
              Function&& function) -> decltype(function()) {
  Watched watched;
  for (const auto& [what, tensor] : given)
    watched.add(what, tensor);
  auto result = guard(origin, method, std::forward<Function>(function));
  watched.require_unwritten(origin, method);
  return result;
}

// Holds the plugin's component, and guards the calls that every kind has.
template <typename Interface>
class CheckedComponent : public Interface {
 public:
  CheckedComponent(std::shared_ptr<Interface> inner, Origin origin)
      : inner_(std::move(inner)), origin_(std::move(origin)) {}

  void save(State& state) const override {
    guard(origin_, "save", [&] { inner_->save(state); });
  }
  void load(const State& state) override { load_all(origin_, *inner_, state); }

 protected:
  const std::shared_ptr<Interface> inner_;
  const Origin origin_;
};

// Guards the other calls: a specialization for each kind.
template <typename Interface>
class Checked;

template <>
class Checked<Sampler> : public CheckedComponent<Sampler> {
 public:
  using CheckedComponent::CheckedComponent;

  void begin_cycle() override {
    guard(origin_, "begin_cycle", [&] { inner_->begin_cycle(); });
  }
  Rollout sample(Scene& scene, std::int64_t count) override {
    WatchedScene watched(scene, origin_, "sample");
    auto rollout = guard(origin_, "sample", [&] { return inner_->sample(watched, count); });
    watched.require_unwritten();
    check("sample", rollout, scene, count);
    return rollout;
  }
  std::vector<Rollout> sample_all(const std::vector<RolloutRequest>& requests) override {
    std::deque<WatchedScene> watched;
    auto own = requests;
    for (auto& request : own)
      request.scene = &watched.emplace_back(*request.scene, origin_, "sample_all");
    auto rollouts = guard(origin_, "sample_all", [&] { return inner_->sample_all(own); });
    for (const auto& scene : watched)
      scene.require_unwritten();
    if (rollouts.size() != requests.size()) {
      breach(origin_, "sample_all",
             fmt::format("returned {} rollouts, but {} were asked for", rollouts.size(), requests.size()));
    }
    for (std::size_t i = 0; i < requests.size(); ++i)
      check("sample_all", rollouts[i], *requests[i].scene, requests[i].count);
    return rollouts;
  }
  bool is_trainable() const override {
    return guard(origin_, "is_trainable", [&] { return inner_->is_trainable(); });
  }
  std::vector<std::pair<std::string, double>> train_step(const std::vector<RewardedRollout>& rollouts) override {
    return guard(origin_, "train_step", [&] { return inner_->train_step(rollouts); });
  }

 private:
  void check(const char* method, const Rollout& rollout, const Scene& scene, std::int64_t count) const {
    if (static_cast<std::int64_t>(rollout.patches.size()) != count)
      breach(origin_, method, fmt::format("returned {} patches, but {} were asked for", rollout.patches.size(), count));
    for (std::size_t i = 0; i < rollout.patches.size(); ++i)
      check(method, "patch", i, rollout.patches[i], scene);
    if (!rollout.alternatives.empty() && static_cast<std::int64_t>(rollout.alternatives.size()) != count) {
      breach(origin_, method,
             fmt::format("returned alternatives for {} steps, but the rollout has {}: name them for each step, or for "
                         "none",
                         rollout.alternatives.size(), count));
    }
    for (std::size_t i = 0; i < rollout.alternatives.size(); ++i) {
      for (const auto& patch : rollout.alternatives[i])
        check(method, "an alternative to patch", i, patch, scene);
    }
  }

  void check(const char* method, const char* what, std::size_t i, const Patch& patch, const Scene& scene) const {
    if (patch.image < 0 || patch.image >= scene.image_count()) {
      breach(origin_, method,
             fmt::format("returned {} {} in image {}, but the images are 0 to {}", what, i, patch.image,
                         scene.image_count() - 1));
    }
    const std::int64_t last = scene.image_size() - scene.patch_size();
    if (patch.y < 0 || patch.x < 0 || patch.y > last || patch.x > last) {
      breach(origin_, method,
             fmt::format("returned {} {} at (y {}, x {}), which leaves its image: y and x must be 0 to {}", what, i,
                         patch.y, patch.x, last));
    }
  }
};

template <>
class Checked<Autoencoder> : public CheckedComponent<Autoencoder> {
 public:
  using CheckedComponent::CheckedComponent;

  void reset() override {
    guard(origin_, "reset", [&] { inner_->reset(); });
  }
  double train_step(const torch::Tensor& patches) override {
    return watching(origin_, "train_step", {{"the patches", patches}}, [&] { return inner_->train_step(patches); });
  }
  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    auto losses =
        watching(origin_, "pixel_loss", {{"the patches", patches}}, [&] { return inner_->pixel_loss(patches); });
    require(origin_, "pixel_loss", losses, {patches.size(0), patches.size(2), patches.size(3)}, 0, kLargest);
    return losses;
  }
  bool concurrent_losses() const override {
    return guard(origin_, "concurrent_losses", [&] { return inner_->concurrent_losses(); });
  }
  std::vector<torch::Tensor> state() override {
    return guard(origin_, "state", [&] { return inner_->state(); });
  }
};

template <>
class Checked<Predictor> : public CheckedComponent<Predictor> {
 public:
  using CheckedComponent::CheckedComponent;

  bool needs_profile() const override {
    return guard(origin_, "needs_profile", [&] { return inner_->needs_profile(); });
  }
  bool needs_image() const override {
    return guard(origin_, "needs_image", [&] { return inner_->needs_image(); });
  }
  bool is_trainable() const override {
    return guard(origin_, "is_trainable", [&] { return inner_->is_trainable(); });
  }
  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override {
    return watching(origin_, "train_step",
                    {{"the profiles", input.profile}, {"the images", input.image}, {"the masks", masks}},
                    [&] { return inner_->train_step(input, masks, loss); });
  }
  torch::Tensor logits(const PredictorInput& input) override {
    auto result = watching(origin_, "logits", {{"the profiles", input.profile}, {"the images", input.image}},
                           [&] { return inner_->logits(input); });
    const auto& given = input.profile.defined() ? input.profile : input.image;
    require(origin_, "logits", result, {given.size(0), given.size(2), given.size(3)}, -kLargest, kLargest);
    return result;
  }
};

template <>
class Checked<Postprocessor> : public CheckedComponent<Postprocessor> {
 public:
  using CheckedComponent::CheckedComponent;

  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) override {
    auto result = watching(origin_, "apply", {{"the probabilities", probabilities}, {"the images", images}},
                           [&] { return inner_->apply(probabilities, images); });
    require(origin_, "apply", result, probabilities.sizes().vec(), 0, 1);
    return result;
  }
};

}  // namespace

template <typename Interface>
std::shared_ptr<Interface> checked(std::shared_ptr<Interface> component, Origin origin) {
  return std::make_shared<Checked<Interface>>(std::move(component), std::move(origin));
}

template std::shared_ptr<Sampler> checked(std::shared_ptr<Sampler>, Origin);
template std::shared_ptr<Autoencoder> checked(std::shared_ptr<Autoencoder>, Origin);
template std::shared_ptr<Predictor> checked(std::shared_ptr<Predictor>, Origin);
template std::shared_ptr<Postprocessor> checked(std::shared_ptr<Postprocessor>, Origin);

bool is_of_kind(const Component& component, Kind kind) {
  switch (kind) {
    case Kind::sampler:
      return dynamic_cast<const Sampler*>(&component) != nullptr;
    case Kind::autoencoder:
      return dynamic_cast<const Autoencoder*>(&component) != nullptr;
    case Kind::predictor:
      return dynamic_cast<const Predictor*>(&component) != nullptr;
    case Kind::postprocessor:
      return dynamic_cast<const Postprocessor*>(&component) != nullptr;
  }
  return false;
}

}  // namespace nbs::host
