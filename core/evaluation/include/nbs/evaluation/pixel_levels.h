// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "nbs/base/spill_file.h"
#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// All pixels of one probability, over all images.
struct PixelLevel {
  float probability = 0;
  std::int64_t anomalous = 0;
  std::int64_t normal = 0;
  /// For each anomalous pixel of a marked region one over the region's area, or their sum as one number.
  std::vector<double> shares;
};

/// The pixels of any number of images in the order of their probabilities, exactly. Up to some number of pixels they
/// are kept in memory; beyond it in a temporary file, of which a walk holds a part at a time. Walking gives the same
/// either way, but for rounding where the shares of one level are summed.
class PixelLevels {
 public:
  /// `folder`: of the temporary file. `kept_bytes`: of pixels in memory.
  explicit PixelLevels(std::filesystem::path folder, std::size_t kept_bytes = std::size_t{32} << 20U);

  /// Adds an image; without a mask all of its pixels are taken for normal. Probabilities must be in [0, 1]. Throws
  /// nbs::Error if the file cannot be written.
  void add(const ScoredImage& image);

  std::int64_t pixels() const { return anomalous_ + normal_; }
  std::int64_t anomalous() const { return anomalous_; }
  std::int64_t normal() const { return normal_; }
  std::int64_t regions() const { return regions_; }  ///< 8-connected, of the masks

  /// Calls `visit` with every probability that occurs, highest first, until it returns false. Throws nbs::Error if the
  /// file cannot be read.
  void walk(const std::function<bool(const PixelLevel&)>& visit);

 private:
  struct Share {
    std::uint32_t key;
    float unused;
    double share;
  };
  static constexpr std::size_t kBuckets = std::size_t{1} << 15U;

  void add_regions(const ScoredImage& image);
  void spill();
  void walk_kept(const std::function<bool(const PixelLevel&)>& visit);
  void walk_spilled(const std::function<bool(const PixelLevel&)>& visit) const;

  std::size_t kept_bytes_;
  std::vector<std::uint32_t> keys_;
  std::vector<std::pair<float, double>> shares_;  // probability and share of anomalous pixels
  bool sorted_ = false;                           // both
  SpillFile key_file_;
  SpillFile share_file_;
  std::array<std::int64_t, kBuckets> in_bucket_{};  // pixels in the file, by the leading bits of their keys
  std::int64_t anomalous_ = 0;
  std::int64_t normal_ = 0;
  std::int64_t regions_ = 0;
};

}  // namespace nbs::evaluation
