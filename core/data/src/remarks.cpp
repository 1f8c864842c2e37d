// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/remarks.h"

#include <algorithm>

#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "nbs/base/files.h"
#include "nbs/data/image.h"

#include "decode.h"

namespace nbs::data {

namespace {

constexpr double kMostOfAnImage = 0.5;
constexpr double kNearlyBlack = 1.0 / 16;
constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;

double anomalous_share(const cv::Mat& mask) {
  return static_cast<double>(cv::countNonZero(mask)) / static_cast<double>(mask.total());
}

// At most one of these is true of a mask.
std::string remark_on(const std::filesystem::path& file, const cv::Mat& stored, const cv::Mat& mask) {
  const double before = anomalous_share(stored);
  if (before > kMostOfAnImage) {
    return fmt::format(
        "the mask {} calls {:.0f} % of its image anomalous, as every pixel that is not black is; if it "
        "is the other way round, invert it",
        file.string(), 100 * before);
  }
  if (2 * anomalous_share(mask) >= before) return "";
  return fmt::format(
      "of the {} anomalous pixels of the mask {} ({} x {}) {} are left at {} x {}, where their area would "
      "be {:.1f}: they are too small; raise data.image_size, or set data.resize = \"tiles\"",
      cv::countNonZero(stored), file.string(), stored.cols, stored.rows, cv::countNonZero(mask), mask.cols, mask.rows,
      before * static_cast<double>(mask.total()));
}

// Of the colors: alpha is full where it says nothing.
double highest_number(const cv::Mat& picture) {
  double highest = 0;
  for (int channel = 0; channel < std::min(picture.channels(), 3); ++channel) {
    cv::Mat plane;
    cv::extractChannel(picture, plane, channel);
    double most = 0;
    cv::minMaxLoc(plane, nullptr, &most);
    highest = std::max(highest, most);
  }
  return highest;
}

double white_of(const cv::Mat& picture) {
  return picture.depth() == CV_8U ? 255 : picture.depth() == CV_16U ? 65535 : 1;
}

}  // namespace

std::vector<std::string> remarks_on_images(const Listing& listing, const Split& split) {
  std::size_t seen = 0;
  double highest = 0;  // of all, where it was found, and what white would be there
  double white = 1;
  std::filesystem::path brightest;
  for (const auto index : split.labeled) {
    const auto& file = listing.samples[static_cast<std::size_t>(index)].image;
    if (file.empty() || file_length(file) > kMostBytes) continue;
    const cv::Mat picture = decode(file);
    const double most = highest_number(picture);
    ++seen;
    if (most / white_of(picture) < highest / white) continue;
    highest = most;
    white = white_of(picture);
    brightest = file;
  }
  if (seen == 0 || highest > kNearlyBlack * white) return {};
  return {fmt::format(
      "the highest number in {} labeled image{} is {:g} ({}), where white is {:g}, so {} nearly black, as numbers "
      "of 12 bits in a file of 16 are; multiply them so that white is {:g}",
      seen, seen == 1 ? "" : "s", highest, brightest.string(), white, seen == 1 ? "it is" : "they are", white)};
}

std::vector<std::string> remarks_on_masks(const Listing& listing, const Split& split, const DataOptions& options) {
  std::vector<std::string> remarks;
  for (const auto index : split.labeled) {
    const auto& sample = listing.samples[static_cast<std::size_t>(index)];
    if (sample.mask_source != MaskSource::file) continue;
    const cv::Mat stored = read_mask_file(sample, options);
    const cv::Mat mask = resize_mask(stored, ViewPlan({stored.rows, stored.cols}, options).size());
    auto remark = remark_on(sample.mask, stored, mask);
    if (!remark.empty()) remarks.push_back(std::move(remark));
  }
  return remarks;
}

}  // namespace nbs::data
