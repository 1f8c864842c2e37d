// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/pixel_levels.h"

#include <algorithm>

#include <opencv2/imgproc.hpp>

#include "sorted_pixels.h"

namespace nbs::evaluation {

namespace {

constexpr unsigned kLowBits = 16;  // of a key: those that a bucket leaves open, its label among them
constexpr std::size_t kLow = std::size_t{1} << kLowBits;
constexpr std::size_t kBucketsAtOnce = 128;  // 64 MiB of counts
constexpr std::size_t kReadAtOnce = 65536;

std::size_t bucket_of(std::uint32_t key) {
  return key >> kLowBits;
}

// Calls `use` with all records of a file.
template <typename Record, typename Use>
void for_each_record(const SpillFile& file, const Use& use) {
  std::vector<Record> records(kReadAtOnce);
  for (std::uint64_t at = 0; at < file.length();) {
    const auto bytes = std::min<std::uint64_t>(file.length() - at, records.size() * sizeof(Record));
    file.read_at(at, records.data(), bytes);
    for (std::size_t i = 0; i < bytes / sizeof(Record); ++i)
      use(records[i]);
    at += bytes;
  }
}

}  // namespace

PixelLevels::PixelLevels(std::filesystem::path folder, std::size_t kept_bytes)
    : kept_bytes_(kept_bytes), key_file_(folder), share_file_(std::move(folder)) {}

void PixelLevels::add(const ScoredImage& image) {
  sorted_ = false;
  for (std::size_t i = 0; i < image.probability.size(); ++i) {
    const bool anomalous = !image.mask.empty() && image.mask[i] != 0;
    keys_.push_back(pixel_key(image.probability[i], anomalous));
    (anomalous ? anomalous_ : normal_) += 1;
  }
  if (shows_anomaly(image)) add_regions(image);
  if (keys_.size() * sizeof(std::uint32_t) + shares_.size() * sizeof(shares_[0]) > kept_bytes_) spill();
}

void PixelLevels::add_regions(const ScoredImage& image) {
  const cv::Mat mask(static_cast<int>(image.height), static_cast<int>(image.width), CV_8U,
                     const_cast<std::uint8_t*>(image.mask.data()));
  cv::Mat labels;
  cv::Mat statistics;
  cv::Mat centroids;
  regions_ += cv::connectedComponentsWithStats(mask, labels, statistics, centroids, 8, CV_32S) - 1;
  for (int y = 0; y < mask.rows; ++y) {
    for (int x = 0; x < mask.cols; ++x) {
      const int label = labels.at<int>(y, x);
      if (label == 0) continue;
      const float probability = image.probability[static_cast<std::size_t>(y * image.width + x)];
      shares_.emplace_back(probability, 1.0 / statistics.at<int>(label, cv::CC_STAT_AREA));
    }
  }
}

void PixelLevels::spill() {
  for (const auto key : keys_)
    ++in_bucket_[bucket_of(key)];
  key_file_.append(keys_.data(), keys_.size() * sizeof(std::uint32_t));
  std::vector<Share> records;
  records.reserve(shares_.size());
  for (const auto& [probability, share] : shares_)
    records.push_back({pixel_key(probability, true), 0, share});
  share_file_.append(records.data(), records.size() * sizeof(Share));
  keys_.clear();
  shares_.clear();
  sorted_ = false;
}

void PixelLevels::walk(const std::function<bool(const PixelLevel&)>& visit) {
  if (key_file_.length() == 0) {
    walk_kept(visit);
    return;
  }
  if (!keys_.empty()) spill();
  walk_spilled(visit);
}

void PixelLevels::walk_kept(const std::function<bool(const PixelLevel&)>& visit) {
  // Once: the shares of one level must stay in one order, or their sum would differ from walk to walk.
  if (!sorted_) {
    sort_keys(keys_);
    std::sort(shares_.begin(), shares_.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    sorted_ = true;
  }
  auto share = shares_.begin();
  for (std::size_t i = keys_.size(); i > 0;) {
    PixelLevel level;
    const auto bits = keys_[i - 1] >> 1U;
    level.probability = key_probability(keys_[i - 1]);
    for (; i > 0 && keys_[i - 1] >> 1U == bits; --i)
      ((keys_[i - 1] & 1U) != 0 ? level.anomalous : level.normal) += 1;
    for (; share != shares_.end() && share->first == level.probability; ++share)
      level.shares.push_back(share->second);
    if (!visit(level)) return;
  }
}

// Some buckets at a time, in as many readings of the file as that takes: a bucket is left open by so few bits that its
// pixels can be counted.
void PixelLevels::walk_spilled(const std::function<bool(const PixelLevel&)>& visit) const {
  std::vector<std::size_t> filled;  // highest first
  for (std::size_t bucket = kBuckets; bucket-- > 0;) {
    if (in_bucket_[bucket] > 0) filled.push_back(bucket);
  }
  std::vector<std::size_t> slot_of(kBuckets);
  for (std::size_t first = 0; first < filled.size(); first += kBucketsAtOnce) {
    const auto count = std::min(kBucketsAtOnce, filled.size() - first);
    std::fill(slot_of.begin(), slot_of.end(), count);
    for (std::size_t slot = 0; slot < count; ++slot)
      slot_of[filled[first + slot]] = slot;
    std::vector<std::int64_t> counts(count * kLow, 0);
    std::vector<double> shares(count * kLow / 2, 0);
    for_each_record<std::uint32_t>(key_file_, [&](std::uint32_t key) {
      const auto slot = slot_of[bucket_of(key)];
      if (slot < count) ++counts[slot * kLow + key % kLow];
    });
    for_each_record<Share>(share_file_, [&](const Share& record) {
      const auto slot = slot_of[bucket_of(record.key)];
      if (slot < count) shares[(slot * kLow + record.key % kLow) / 2] += record.share;
    });
    for (std::size_t slot = 0; slot < count; ++slot) {
      for (std::size_t low = kLow; low > 0; low -= 2) {
        PixelLevel level;
        const auto at = slot * kLow + low - 2;
        level.normal = counts[at];
        level.anomalous = counts[at + 1];
        if (level.normal + level.anomalous == 0) continue;
        level.probability = key_probability(static_cast<std::uint32_t>(filled[first + slot] << kLowBits | (low - 2)));
        if (shares[at / 2] > 0) level.shares.push_back(shares[at / 2]);
        if (!visit(level)) return;
      }
    }
  }
}

}  // namespace nbs::evaluation
