// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nbs/component.h"

namespace nbs {

/// A p x p patch of an image of the scene, by its top left pixel: 0 <= y, x <= S - p.
struct Patch {
  std::int64_t image = 0;  ///< number in the scene
  std::int64_t y = 0;      ///< top row
  std::int64_t x = 0;      ///< left column
};

/// Whether they are the same pixels of the same image.
inline bool operator==(const Patch& a, const Patch& b) {
  return a.image == b.image && a.y == b.y && a.x == b.x;
}

/// What a sampler sees of the data while it makes one rollout. Owned by the host, valid during the
/// call only. Images are numbered from 0; all are S x S pixels. Tensors are float32 on the CPU
/// unless stated otherwise, and must not be written to: the run ends when the host finds that one was.
class Scene {
 public:
  virtual ~Scene() = default;

  virtual std::int64_t image_count() const = 0;  ///< at least 1
  virtual std::int64_t image_size() const = 0;   ///< S
  virtual std::int64_t patch_size() const = 0;   ///< p
  /// Whether the mask of the image may be asked for.
  virtual bool labeled(std::int64_t image) const = 0;

  /// What the data set calls the image, for example "bottle/test/crack/003"; the same for the whole run, and for all
  /// runs on these data. A scene without names counts them.
  virtual std::string image_id(std::int64_t image) const { return std::to_string(image); }

  /// [3, S, S] in [0, 1], contiguous.
  virtual torch::Tensor image(std::int64_t image) const = 0;

  /// [S, S], 1 = anomalous. Labeled images only; throws nbs::Error for the others, whose masks are
  /// not there.
  virtual torch::Tensor mask(std::int64_t image) const = 0;

  /// The current loss map [S, S], contiguous, of which at least the pixels of the given window are
  /// up to date (the window may reach over the border; what lies outside is ignored). Asking for
  /// little keeps rollouts cheap: an unlabeled image is evaluated by tiles, when a window first
  /// touches them.
  virtual torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                             std::int64_t width) = 0;
};

/// What a sampler wants to remember of a rollout until train_step(): made by the plugin, carried by the
/// host.
class RolloutMemory {
 public:
  virtual ~RolloutMemory() = default;
};

/// An episode: patches in the order in which they were chosen.
struct Rollout {
  std::vector<Patch> patches;                   ///< in the order in which they were chosen
  std::shared_ptr<const RolloutMemory> memory;  ///< may be null
  /// For each of them the patches that might have been chosen in its place, any number a step, if the sampler wants to
  /// know what they would have been rewarded with; otherwise empty.
  std::vector<std::vector<Patch>> alternatives;
};

/// An order for one rollout: exactly `count` patches of `scene`.
struct RolloutRequest {
  Scene* scene = nullptr;  ///< of this request alone
  std::int64_t count = 0;  ///< at least 1
};

/// A rollout with the reward of every step (Eq. 1 and 3, made by the host; not discounted).
struct RewardedRollout {
  const Rollout* rollout = nullptr;  ///< as the sampler returned it
  std::vector<double> rewards;       ///< one for every patch
  std::size_t index = 0;             ///< which of the iteration's rollouts it is, counted as in sample_all()
  /// For each of `rollout->alternatives` the reward that choosing it at that step, after the patches before it, would
  /// have brought. Empty if there are none, and where a patch by itself has no reward: R_pred is of the whole rollout.
  std::vector<std::vector<double>> alternatives;
};

/// Chooses the patches that train the autoencoder (paper, 3.1 "Neural Batch Sampler").
class Sampler : public Component {
 public:
  /// What the host takes it for.
  static constexpr Kind kKind = Kind::sampler;

  /// The autoencoder has just been given new parameters, as it is before the first rollout and at every
  /// re-initialization after it (train.reinit_every): what was remembered of its losses is out of date.
  virtual void begin_cycle() {}

  /// One rollout of exactly `count` patches. The host refuses a patch, also an alternative, that leaves its image.
  virtual Rollout sample(Scene& scene, std::int64_t count) = 0;

  /// Several rollouts under the same policy, in the order of the requests. Each request has a scene of its own, and
  /// different scenes may be asked from different threads at the same time, so the rollouts may run in parallel (with
  /// at::parallel_for). For the same bits whatever the timing, give each a random source of its own.
  virtual std::vector<Rollout> sample_all(const std::vector<RolloutRequest>& requests) {
    std::vector<Rollout> rollouts;
    rollouts.reserve(requests.size());
    for (const auto& request : requests)
      rollouts.push_back(sample(*request.scene, request.count));
    return rollouts;
  }

  /// Whether train_step() does anything; if not, the host spends no time on rewards.
  virtual bool is_trainable() const { return false; }

  /// One learning step (Eq. 4) from rollouts that this sampler made since its last step. Returns
  /// numbers worth a place in the run's metrics, by name (for example {"entropy", 2.1}).
  virtual std::vector<std::pair<std::string, double>> train_step(const std::vector<RewardedRollout>& rollouts) {
    static_cast<void>(rollouts);
    return {};
  }
};

}  // namespace nbs
