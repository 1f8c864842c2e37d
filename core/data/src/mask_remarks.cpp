// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/mask_remarks.h"

#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"

namespace nbs::data {

namespace {

constexpr double kMostOfAnImage = 0.5;

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

}  // namespace

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
