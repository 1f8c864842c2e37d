// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <opencv2/core/mat.hpp>

#include "nbs/data/options.h"

namespace nbs::data {

/// A generated image with its truth.
struct SyntheticImage {
  cv::Mat image;     ///< S x S, CV_32FC3 RGB in [0, 1]
  cv::Mat mask;      ///< S x S, CV_8UC1, 1 = anomalous
  std::string type;  ///< "scratch", "stain", "crack" or "good"
};

/// Image `index` of the generated data set: a textured surface, five of six with one or two small anomalies. Depends on
/// nothing but its arguments.
SyntheticImage synthesize(Surface surface, std::int64_t size, std::uint64_t seed, std::int64_t index);

/// The kind of image `index`, without making it.
std::string synthetic_type(std::uint64_t seed, std::int64_t index);

/// Writes `options.count` generated images (and a quarter as many anomaly-free ones for training, where the layout has
/// a place for them) in the layout named: crackforest, mvtec, nanotwice or folder.
void export_synthetic(const std::filesystem::path& folder, Format layout, const DataOptions& options);

}  // namespace nbs::data
