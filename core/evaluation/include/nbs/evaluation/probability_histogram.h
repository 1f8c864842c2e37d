// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nbs::evaluation {

/// How many pixels have about this probability. Bins have the same width in log-odds, log(p / (1 - p)), from -20 to 20,
/// so that they tell apart what is close to 0 and to 1; its size does not depend on how many pixels it counts.
class ProbabilityHistogram {
 public:
  static constexpr std::size_t kBins = 4096;

  ProbabilityHistogram() : counts_(kBins, 0) {}

  /// The bin of a probability in [0, 1]: no lower one for a higher probability.
  static std::size_t bin_of(float probability);

  void add(float probability) {
    ++counts_[bin_of(probability)];
    ++pixels_;
  }

  std::int64_t pixels() const { return pixels_; }

  /// Pixels of each bin, that of the lowest probabilities first.
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  std::vector<std::int64_t> counts_;
  std::int64_t pixels_ = 0;
};

}  // namespace nbs::evaluation
