// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "nbs/record/diagnostics.h"
#include "nbs/sampler.h"
#include "nbs/training/state_io.h"

namespace nbs::training {

/// Counts where the patches of a sampler lay, by phase of beta. An image is divided into cells, and of each the pixels
/// are counted that patches cover: so nothing grows with the number of iterations.
class SamplingDensity {
 public:
  /// Of images of `image_size` pixels, patches of `patch_size`, and the first of `labeled` images, each on its own.
  SamplingDensity(std::int64_t image_size, std::int64_t patch_size, std::int64_t labeled);

  /// Begins an iteration of a phase.
  void begin(record::SamplingPhase phase);
  /// Patches on all images, one over the other.
  void add(const std::vector<Patch>& patches);
  /// Patches on labeled images, which they name by 0 … L-1; those on other images are left out.
  void add_labeled(const std::vector<Patch>& patches);

  /// What was counted. `learns`: whether the sampler does; `ids`: of the images, or nothing if they have no names.
  record::SampledPlaces places(bool learns, const std::vector<std::string>& ids) const;

  void save(StateWriter& writer) const;
  void load(const StateReader& reader);

 private:
  struct Counts {
    std::int64_t patches = 0;
    std::vector<std::int64_t> pixels;  // covered, of each cell
  };
  struct Phase {
    std::int64_t iterations = 0;
    std::vector<Counts> images;  // all together, then each of the labeled ones
  };
  void count(Counts& counts, const Patch& patch) const;
  std::vector<double> cells_of(const Counts& counts) const;

  std::int64_t patch_size_;
  std::vector<std::int64_t> edges_;  // of the cells, from 0 to the size of the image
  std::array<Phase, 2> phases_;      // by SamplingPhase
  std::size_t current_ = 0;
};

}  // namespace nbs::training
