// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/sets.h"

#include <algorithm>
#include <set>

#include <opencv2/core.hpp>

#include "nbs/data/image.h"

namespace nbs::data {

namespace {

// Interleaved RGB to planes.
void to_planes(const cv::Mat& image, float* to) {
  const std::int64_t plane = static_cast<std::int64_t>(image.rows) * image.cols;
  for (int y = 0; y < image.rows; ++y) {
    const auto* row = image.ptr<cv::Vec3f>(y);
    for (int x = 0; x < image.cols; ++x) {
      const std::int64_t at = static_cast<std::int64_t>(y) * image.cols + x;
      for (int c = 0; c < 3; ++c)
        to[c * plane + at] = row[x][c];
    }
  }
}

}  // namespace

TrainingSet load_training_set(const Listing& listing, const Split& split, const DataOptions& options) {
  TrainingSet set;
  set.size = options.image_size;
  set.labeled = static_cast<std::int64_t>(split.labeled.size());
  set.unlabeled = static_cast<std::int64_t>(split.unlabeled.size());
  set.auxiliary = static_cast<std::int64_t>(listing.auxiliary.size());
  std::vector<const Sample*> order;
  for (const auto index : split.labeled)
    order.push_back(&listing.samples[index]);
  for (const auto index : split.unlabeled)
    order.push_back(&listing.samples[index]);
  for (const auto& sample : listing.auxiliary)
    order.push_back(&sample);
  const std::int64_t plane = set.size * set.size;
  set.images.resize(order.size() * static_cast<std::size_t>(3 * plane));
  set.masks.resize(static_cast<std::size_t>(set.labeled * plane));
  std::set<std::string> types;
  for (std::size_t i = 0; i < order.size(); ++i) {
    set.ids.push_back(order[i]->id);
    to_planes(load_image(*order[i], options), set.images.data() + i * static_cast<std::size_t>(3 * plane));
    if (static_cast<std::int64_t>(i) >= set.labeled) continue;
    const cv::Mat mask = load_mask(*order[i], options);
    for (int y = 0; y < mask.rows; ++y) {
      const auto* row = mask.ptr<std::uint8_t>(y);
      float* to = set.masks.data() + i * static_cast<std::size_t>(plane) + static_cast<std::size_t>(y * set.size);
      std::transform(row, row + mask.cols, to, [](std::uint8_t value) { return value != 0 ? 1.0F : 0.0F; });
    }
    if (!order[i]->type.empty() && order[i]->type != "good") types.insert(order[i]->type);
  }
  set.seen_types.assign(types.begin(), types.end());
  return set;
}

ScoringSet::ScoringSet(const Listing& listing, const Split& split, DataOptions options) : options_(std::move(options)) {
  for (const auto index : split.unlabeled)
    samples_.push_back(listing.samples[index]);
}

std::vector<std::uint8_t> ScoringSet::mask(std::int64_t index) const {
  const cv::Mat mask = load_mask(samples_[index], options_);
  std::vector<std::uint8_t> values;
  values.reserve(static_cast<std::size_t>(mask.total()));
  for (int y = 0; y < mask.rows; ++y) {
    const auto* row = mask.ptr<std::uint8_t>(y);
    values.insert(values.end(), row, row + mask.cols);
  }
  return values;
}

}  // namespace nbs::data
