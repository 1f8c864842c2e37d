// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/image.h"

#include <algorithm>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "nbs/data/image_store.h"
#include "nbs/data/synthetic.h"
#include "nbs/data/view_images.h"
#include "nbs/error.h"

#include "decode.h"
#include "files.h"
#include "reduce.h"

namespace nbs::data {

namespace {

// Above this an image is reduced row by row. Below it the whole is converted and resized at once, as ever, so that
// results stay what they were to the last bit.
constexpr std::size_t kWholePixels = 64'000'000;

// The largest of the picture's channels, without alpha.
cv::Mat brightest(cv::Mat picture) {
  if (picture.channels() == 1) return picture;
  std::vector<cv::Mat> planes;
  cv::split(picture, planes);
  picture.release();
  for (std::size_t i = 1; i < 3; ++i)
    planes[0] = cv::max(planes[0], planes[i]);
  return planes[0];
}

// Formats that may not keep a value exactly, told by their first bytes.
bool is_jpeg(const std::string& bytes) {
  return bytes.compare(0, 2, "\xFF\xD8") == 0;
}
bool may_be_lossy(const std::string& bytes) {
  return bytes.compare(0, 4, "RIFF") == 0 || bytes.compare(4, 4, "jP  ") == 0 || bytes.compare(0, 2, "\xFF\x4F") == 0;
}

void refuse_lossy(const std::string& bytes, const cv::Mat& values, const std::filesystem::path& file) {
  if (is_jpeg(bytes)) refuse_jpeg_mask(file);
  if (!may_be_lossy(bytes)) return;
  double low = 0;
  double high = 0;
  cv::minMaxLoc(values, &low, &high);
  const int between = cv::countNonZero((values > low) & (values < high));
  if (between == 0) return;
  throw Error(fmt::format(
      "the mask {} has {} pixels between its darkest and its brightest value, as a lossy format leaves them "
      "around edges, where every pixel that is not black would count as anomalous; save it as PNG with two "
      "values",
      file.string(), between));
}

cv::Size as_cv(PixelSize size) {
  return {static_cast<int>(size.width), static_cast<int>(size.height)};
}

}  // namespace

cv::Mat read_image(const std::filesystem::path& file) {
  return as_color(read_stored_image(file));
}

cv::Mat read_stored_image(const std::filesystem::path& file) {
  return in_image_range(decode(file), file);
}

cv::Mat rgb_of(const cv::Mat& stored) {
  return as_color(stored);
}

std::vector<std::filesystem::path> image_files_among(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : paths) {
    std::error_code ignored;  // whatever cannot be reached is named when it is read
    if (!std::filesystem::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const auto inside = image_entries(path);
    if (inside.empty())
      throw Error(fmt::format("the folder {} holds no image file; name another, or the images", path.string()));
    files.insert(files.end(), inside.begin(), inside.end());
  }
  std::map<std::string, std::filesystem::path> seen;
  std::vector<std::filesystem::path> once;
  for (const auto& file : files) {
    const auto [at, is_new] = seen.emplace(file.stem().string(), file);
    if (is_new) {
      once.push_back(file);
      continue;
    }
    std::error_code ignored;
    if (std::filesystem::equivalent(at->second, file, ignored)) continue;  // named twice
    throw Error(
        fmt::format("{} and {} have one name, so what is written for the second would replace the first; "
                    "name them in two calls with two folders",
                    at->second.string(), file.string()));
  }
  return once;
}

cv::Mat read_mask_image(const std::filesystem::path& file) {
  const auto bytes = read_image_bytes(file);
  const cv::Mat values = brightest(decoded(bytes, file));
  refuse_lossy(bytes, values, file);
  cv::Mat mask = values > 0;
  mask /= 255;
  return mask;
}

cv::Size size_of_image(const std::filesystem::path& file) {
  const auto bytes = read_image_bytes(file);
  const auto stated = stated_size(bytes);
  if (stated && stated->width <= kMostPixels / stated->height)
    return {static_cast<int>(stated->width), static_cast<int>(stated->height)};
  return decoded(bytes, file).size();
}

cv::Mat resize_image(const cv::Mat& image, PixelSize size) {
  const cv::Size wanted = as_cv(size);
  if (image.size() == wanted) return image;
  const bool shrinks = image.rows >= size.height && image.cols >= size.width;
  cv::Mat resized;
  cv::resize(image, resized, wanted, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return resized;
}

cv::Mat resize_stored(const cv::Mat& stored, PixelSize size) {
  return stored.total() > kWholePixels ? reduce(stored, size) : resize_image(as_color(stored), size);
}

cv::Mat to_levels(const cv::Mat& image) {
  cv::Mat levels;
  image.convertTo(levels, CV_8U, 255);
  return levels;
}

cv::Mat from_levels(const cv::Mat& levels) {
  cv::Mat image(levels.size(), CV_32FC3);
  for (int y = 0; y < levels.rows; ++y) {
    const auto* const from = levels.ptr<std::uint8_t>(y);
    std::transform(from, from + 3 * levels.cols, image.ptr<float>(y), level_value);
  }
  return image;
}

cv::Mat resize_mask(const cv::Mat& mask, PixelSize size) {
  const cv::Size wanted = as_cv(size);
  if (mask.size() == wanted) return mask;
  cv::Mat resized;
  cv::resize(mask, resized, wanted, 0, 0, cv::INTER_NEAREST);
  return resized;
}

cv::Mat load_image(const Sample& sample, const DataOptions& options) {
  if (sample.mask_source == MaskSource::generated) {
    return synthesize(options.surface, options.image_size, static_cast<std::uint64_t>(options.split_seed), sample.index)
        .image;
  }
  const cv::Mat stored = read_stored_image(sample.image);
  return resize_stored(stored, ViewPlan({stored.rows, stored.cols}, options).size());
}

cv::Mat read_mask_file(const Sample& sample, const DataOptions& options) {
  cv::Mat mask = sample.mask.extension() == ".mat" ? read_mask_mat(sample.mask, options.anomalous_labels)
                                                   : read_mask_image(sample.mask);
  const cv::Size image = size_of_image(sample.image);
  if (mask.size() == image) return mask;
  throw Error(fmt::format("the mask {} is {} x {} pixels, but its image {} is {} x {}; they must be the same size{}",
                          sample.mask.string(), mask.cols, mask.rows, sample.image.string(), image.width, image.height,
                          mask.size() == cv::Size(image.height, image.width)
                              ? " (both are taken upright, as the files say that they are to be shown)"
                              : ""));
}

cv::Mat load_mask(const Sample& sample, const DataOptions& options) {
  switch (sample.mask_source) {
    case MaskSource::all_clear:
      return cv::Mat::zeros(as_cv(plan_of(sample, options).size()), CV_8UC1);
    case MaskSource::generated:
      return synthesize(options.surface, options.image_size, static_cast<std::uint64_t>(options.split_seed),
                        sample.index)
          .mask;
    case MaskSource::file:
      break;
    case MaskSource::none:
      throw Error(fmt::format("the image {} has no mask", sample.image.string()));
  }
  const cv::Mat mask = read_mask_file(sample, options);
  return resize_mask(mask, ViewPlan({mask.rows, mask.cols}, options).size());
}

}  // namespace nbs::data
