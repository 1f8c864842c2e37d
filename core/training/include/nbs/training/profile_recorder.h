// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/config/sections.h"
#include "nbs/training/buffer.h"
#include "nbs/training/checkpoint.h"
#include "nbs/training/profile.h"
#include "nbs/training/scene.h"
#include "nbs/training/whole_images.h"

namespace nbs::training {

/// Records the history from which loss profiles are made: the last T parameter sets of the autoencoder's current cycle,
/// the reference map of each, the labeled images' loss maps, and the cycles before. The images, the autoencoder and the
/// tiling must outlive it.
class ProfileRecorder {
 public:
  /// What recording the labeled images gave.
  struct LabeledMaps {
    std::vector<BufferedProfile> profiles;  ///< one for each labeled image; empty while profiles are not full
    /// How many times larger the loss of an anomalous pixel is than that of a normal one: the contrast that the sampler
    /// is there to raise. Nothing without pixels of both kinds.
    std::optional<double> loss_ratio;
  };

  /// `reference_images`: indices of the images whose median loss is the reference; empty if profiles are not relative
  /// to it.
  ProfileRecorder(const TrainingImages& images, Autoencoder& autoencoder, const Tiling& tiling,
                  const config::ProfileOptions& options, std::vector<std::int64_t> reference_images);

  /// The autoencoder starts anew: a cycle whose profile is full joins the earlier ones, all else of it is forgotten.
  void begin_cycle();
  /// The autoencoder's current parameters, and the reference map under them, join the history.
  void record_parameters();
  /// The loss maps of the labeled images under the current parameters join their profiles. Call record_parameters()
  /// first. They are handed on to each of `losses` that has the same tiling. The first time that profiles are full, it
  /// tries whether they can be replayed; throws nbs::Error if the autoencoder's interface was not kept to.
  LabeledMaps record_labeled_maps(const std::vector<CurrentLosses*>& losses);

  /// Whether the history holds T parameter sets, so that profiles can be made.
  bool full() const { return ring_.full(); }
  const ParameterRing& ring() const { return ring_; }
  /// The cycles that masks are made from, oldest first; the current one, which must be full, is the last.
  std::vector<Cycle> cycles() const;

  void save(StateWriter& writer) const;
  /// Throws nbs::Error if what was saved does not fit the autoencoder, the images or the options.
  void load(const StateReader& reader);

 private:
  struct RecordedMap {
    torch::Tensor map;  // [S, S], divided by the reference map if profiles are relative
    double mean = 0;    // of the loss as it is
  };
  void require_exact_replay();
  Cycle current_cycle() const;
  BufferedProfile profile_of(std::int64_t labeled_image) const;

  const TrainingImages& images_;
  WholeImages whole_;
  Autoencoder& autoencoder_;
  const Tiling& tiling_;
  config::ProfileOptions options_;
  std::vector<std::int64_t> reference_images_;
  ParameterRing ring_;
  std::deque<torch::Tensor> reference_;                // reference_loss() [S, S] of each parameter set in the ring
  std::vector<std::deque<RecordedMap>> labeled_maps_;  // the last T of each labeled image
  std::deque<Cycle> past_cycles_;                      // those that masks are also made from
  bool replay_tried_ = false;
};

}  // namespace nbs::training
