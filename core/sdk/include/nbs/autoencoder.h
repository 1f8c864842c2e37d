// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/component.h"

namespace nbs {

/// Learns to reconstruct patches; its only purpose is the loss it leaves (paper, 3.1
/// "Autoencoder").
class Autoencoder : public Component {
 public:
  /// What the host takes it for.
  static constexpr Kind kKind = Kind::autoencoder;

  /// Draws new parameters from the context's generator and forgets the optimizer's state.
  virtual void reset() = 0;

  /// One optimizer step on patches [B, 3, p, p] in [0, 1]; returns their mean loss before the step.
  virtual double train_step(const torch::Tensor& patches) = 0;

  /// The loss of every pixel, [B, p, p], >= 0, of patches [B, 3, p, p] in [0, 1]: by default the
  /// squared reconstruction error averaged over color channels. No gradient. A patch's result must
  /// not depend on the others in the batch.
  virtual torch::Tensor pixel_loss(const torch::Tensor& patches) = 0;

  /// Whether pixel_loss() may be called from several threads at the same time, while nothing else is called: the host
  /// then evaluates what both rollouts of an iteration see side by side, a core each.
  virtual bool concurrent_losses() const { return false; }

  /// All tensors (parameters and buffers) that pixel_loss() depends on, as the live tensors in a
  /// fixed order. The host copies from them and into them: this is how profiles are replayed. See
  /// docs/profiles.md.
  virtual std::vector<torch::Tensor> state() = 0;
};

}  // namespace nbs
