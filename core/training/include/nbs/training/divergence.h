// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nbs/error.h"
#include "nbs/training/state_io.h"

namespace nbs::training {

/// A loss that stopped being a number, or lost all meaning: training ends, and the last good state stays.
class Diverged : public Error {
 public:
  using Error::Error;
};

/// Throws Diverged, with the value, the iteration and the likely cause, unless `loss` is finite.
void require_finite(double loss, const char* what, std::int64_t iteration, const char* likely_cause);

/// Tells when an autoencoder's loss is a number but no longer means anything. Images are in [0, 1], so that gray alone
/// gives a mean squared error of 0.25 at most, and 1 - SSIM is at most 2. A loss above 100, or above 100 times what the
/// cycle began with where that is more than 1 (losses of another kind), is out of range. A healthy run may pass through
/// such values for a few steps after a re-initialization, but comes back from them: only kPatience iterations in a row
/// within one cycle, or the last iteration of all, count as divergence.
class LossWatch {
 public:
  static constexpr double kFactor = 100;
  static constexpr std::int64_t kPatience = 10;

  /// A re-initialization.
  void begin_cycle();
  /// The loss of a minibatch before the step on it. The first of a cycle tells what an untrained autoencoder has.
  void see_batch(double loss);
  /// The mean loss of an iteration. Returns a sentence if training has diverged; `last`: no other iteration follows.
  std::optional<std::string> see_iteration(std::int64_t iteration, double loss, bool last);
  /// Whether the newest iteration was out of range; its parameters are not worth remembering.
  bool out_of_range() const { return streak_ > 0; }

  void save(StateWriter& writer) const;
  void load(const StateReader& reader);

 private:
  double bound() const;

  std::optional<double> first_;
  std::int64_t streak_ = 0;
};

}  // namespace nbs::training
