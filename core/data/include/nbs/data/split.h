// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/data/sample.h"

namespace nbs::data {

/// Which samples are labeled; both lists hold indices into Listing::samples, ascending.
struct Split {
  std::vector<std::int64_t> labeled;
  std::vector<std::int64_t> unlabeled;
};

/// A seeded random permutation of 0 … count - 1, the same on every platform.
std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed);

/// Draws the labeled images. Where fewer than options.min_anomalous of them show an anomaly, the last drawn that do
/// not are exchanged for the next in the random order that do. Whether an image shows one is taken from the layout
/// where it says so; otherwise its mask is opened, one image after the other in the random order until one is found, as
/// a person would who labels images until an anomaly turns up. No other mask is opened.
/// Throws nbs::Error if more labeled images are wanted than there are, or no image shows an anomaly.
Split draw_split(const Listing& listing, const DataOptions& options);

/// The split as JSON text: id, role, type and file of every sample.
std::string manifest(const Listing& listing, const Split& split, const DataOptions& options);

}  // namespace nbs::data
