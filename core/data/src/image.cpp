// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/image.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/base/files.h"
#include "nbs/data/synthetic.h"
#include "nbs/error.h"

#include "files.h"

namespace nbs::data {

namespace {

// The decoders fill the missing part of a file that was cut short with grey and do not say so; the end marks tell.
bool cut_short(const std::string& bytes) {
  const auto ends_with = [&](const std::string& mark) {
    // Some writers append a few bytes after the end mark.
    const auto tail = bytes.end() - std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(bytes.size()), 4096);
    return std::search(tail, bytes.end(), mark.begin(), mark.end()) != bytes.end();
  };
  if (bytes.compare(0, 2, "\xFF\xD8") == 0) return !ends_with("\xFF\xD9");
  if (bytes.compare(0, 2, "\x89P") == 0) return !ends_with("IEND");
  return false;
}

cv::Mat decode(const std::filesystem::path& file) {
  const auto bytes = read_file(file);
  cv::Mat image;
  if (!bytes.empty()) {
    try {
      // Decoders want unsigned bytes, and do not write to them.
      const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
      image = cv::imdecode(encoded, cv::IMREAD_UNCHANGED);
    } catch (const cv::Exception&) {
      image.release();
    }
  }
  if (image.empty()) {
    throw Error(fmt::format("the file {} ({} bytes) is not an image that can be read; replace it", file.string(),
                            bytes.size()));
  }
  if (cut_short(bytes)) {
    throw Error(fmt::format("the image {} is cut short: its {} bytes lack the end mark; copy it again", file.string(),
                            bytes.size()));
  }
  return image;
}

}  // namespace

cv::Mat read_stored_image(const std::filesystem::path& file) {
  cv::Mat image = decode(file);
  if (image.channels() == 2 || image.channels() > 4) {
    throw Error(fmt::format("the image {} has {} channels; 1 (grey), 3 (colour) or 4 (with alpha) can be read",
                            file.string(), image.channels()));
  }
  return image;
}

cv::Mat rgb_of(const cv::Mat& image) {
  cv::Mat scaled;
  switch (image.depth()) {
    case CV_8U:
      image.convertTo(scaled, CV_32F, 1.0 / 255);
      break;
    case CV_16U:
      image.convertTo(scaled, CV_32F, 1.0 / 65535);
      break;
    default:
      image.convertTo(scaled, CV_32F);
      scaled = cv::min(cv::max(scaled, 0.0), 1.0);
  }
  cv::Mat colour;
  switch (scaled.channels()) {
    case 1:
      cv::cvtColor(scaled, colour, cv::COLOR_GRAY2RGB);
      break;
    case 3:
      cv::cvtColor(scaled, colour, cv::COLOR_BGR2RGB);
      break;
    default:
      cv::cvtColor(scaled, colour, cv::COLOR_BGRA2RGB);
  }
  return colour;
}

cv::Mat read_image(const std::filesystem::path& file) {
  return rgb_of(read_stored_image(file));
}

std::vector<std::filesystem::path> image_files_among(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const auto inside = image_files_if_any(path);
    if (inside.empty())
      throw Error(fmt::format("the folder {} holds no image file; name another, or the images", path.string()));
    files.insert(files.end(), inside.begin(), inside.end());
  }
  std::map<std::string, std::filesystem::path> seen;
  for (const auto& file : files) {
    const auto [at, is_new] = seen.emplace(file.stem().string(), file);
    if (is_new) continue;
    throw Error(
        fmt::format("{} and {} have one name, so what is written for the second would replace the first; "
                    "name them in two calls with two folders",
                    at->second.string(), file.string()));
  }
  return files;
}

cv::Mat read_mask_image(const std::filesystem::path& file) {
  cv::Mat image = decode(file);
  if (image.channels() == 4) cv::cvtColor(image, image, cv::COLOR_BGRA2BGR);
  cv::Mat any;
  if (image.channels() == 1) {
    any = image;
  } else {
    std::vector<cv::Mat> planes;
    cv::split(image, planes);
    any = planes[0];
    for (std::size_t i = 1; i < planes.size(); ++i)
      any = cv::max(any, planes[i]);
  }
  cv::Mat mask = any > 0;
  return mask / 255;
}

cv::Mat resize_image(const cv::Mat& image, std::int64_t size) {
  const cv::Size wanted(static_cast<int>(size), static_cast<int>(size));
  if (image.size() == wanted) return image;
  const bool shrinks = image.rows >= size && image.cols >= size;
  cv::Mat resized;
  cv::resize(image, resized, wanted, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return resized;
}

cv::Mat resize_mask(const cv::Mat& mask, std::int64_t size) {
  const cv::Size wanted(static_cast<int>(size), static_cast<int>(size));
  if (mask.size() == wanted) return mask;
  cv::Mat resized;
  cv::resize(mask, resized, wanted, 0, 0, cv::INTER_NEAREST);
  return resized;
}

cv::Mat load_image(const Sample& sample, const DataOptions& options) {
  if (sample.mask_source == MaskSource::generated) {
    return synthesise(options.surface, options.image_size, static_cast<std::uint64_t>(options.split_seed), sample.index)
        .image;
  }
  return resize_image(read_image(sample.image), options.image_size);
}

cv::Mat load_mask(const Sample& sample, const DataOptions& options) {
  const int size = static_cast<int>(options.image_size);
  switch (sample.mask_source) {
    case MaskSource::all_clear:
      return cv::Mat::zeros(size, size, CV_8UC1);
    case MaskSource::generated:
      return synthesise(options.surface, options.image_size, static_cast<std::uint64_t>(options.split_seed),
                        sample.index)
          .mask;
    case MaskSource::file:
      break;
    case MaskSource::none:
      throw Error(fmt::format("the image {} has no mask", sample.image.string()));
  }
  const cv::Mat mask = sample.mask.extension() == ".mat" ? read_mask_mat(sample.mask, options.anomalous_labels)
                                                         : read_mask_image(sample.mask);
  const cv::Mat image = decode(sample.image);
  if (mask.size() != image.size()) {
    throw Error(fmt::format("the mask {} is {} x {} pixels, but its image {} is {} x {}; they must be the same size",
                            sample.mask.string(), mask.cols, mask.rows, sample.image.string(), image.cols, image.rows));
  }
  return resize_mask(mask, options.image_size);
}

}  // namespace nbs::data
