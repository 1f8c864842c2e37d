// SPDX-License-Identifier: Apache-2.0
#include "decode.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/base/files.h"
#include "nbs/error.h"

#include "orientation.h"

namespace nbs::data {

namespace {

constexpr std::uintmax_t kLargeFile = std::uintmax_t{32} << 20U;
constexpr double kBeyondRange = 0.1;  // where a filter may have left a picture

// The decoders fill the missing part of a file that was cut short with gray and do not say so; the end marks tell.
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

void refuse_unusable(const cv::Mat& picture, const std::filesystem::path& file) {
  const int depth = picture.depth();
  if (depth != CV_8U && depth != CV_16U && depth != CV_32F && depth != CV_64F) {
    throw Error(fmt::format(
        "the image {} has numbers with a sign, whose range is unknown; save it with 8 or 16 bits without one",
        file.string()));
  }
  if (picture.channels() != 1 && picture.channels() != 3 && picture.channels() != 4) {
    throw Error(fmt::format("the image {} has {} channels; 1 (gray), 3 (color) or 4 (with alpha) can be read",
                            file.string(), picture.channels()));
  }
  cv::Point bad;
  constexpr double kLargest = std::numeric_limits<double>::max();
  if (depth >= CV_32F && !cv::checkRange(picture, true, &bad, -kLargest, kLargest)) {
    throw Error(
        fmt::format("the image {} holds a value that is not finite, at row {}, column {} (from 0); replace it by a "
                    "number from 0 to 1",
                    file.string(), bad.y, bad.x));
  }
}

void refuse_too_large(const std::optional<StatedSize>& size, std::uint64_t bytes, const std::filesystem::path& file) {
  if (!size || size->width <= kMostPixels / size->height) return;
  throw Error(
      fmt::format("the image {} ({} bytes) says that it has {} x {} pixels; at most {} can be read: scale it down, or "
                  "replace it if it is damaged",
                  file.string(), bytes, size->width, size->height, kMostPixels));
}

// What `decode_it` gives, if it can be used, upright. `ends`: the first and the last bytes at least, `bytes` is how
// many there are.
template <typename Decode>
cv::Mat checked(const std::string& ends, std::uint64_t bytes, int orientation, const std::filesystem::path& file,
                const Decode& decode_it) {
  cv::Mat image;
  try {
    image = decode_it();
  } catch (const std::exception&) {
    image.release();
  }
  if (image.empty()) {
    throw Error(
        fmt::format("the file {} ({} bytes) is not an image that can be read; replace it", file.string(), bytes));
  }
  if (cut_short(ends)) {
    throw Error(
        fmt::format("the image {} is cut short: its {} bytes lack the end mark; copy it again", file.string(), bytes));
  }
  refuse_unusable(image, file);
  // OpenCV turns the pictures of TIFF files itself.
  const bool is_turned = ends.compare(0, 2, "II") == 0 || ends.compare(0, 2, "MM") == 0;
  return is_turned ? image : upright(image, orientation);
}

}  // namespace

std::string read_image_bytes(const std::filesystem::path& file) {
  return read_file(file, "file", std::numeric_limits<int>::max());
}

cv::Mat decoded(const std::string& bytes, const std::filesystem::path& file) {
  refuse_too_large(stated_size(bytes), bytes.size(), file);
  return checked(bytes, bytes.size(), stated_orientation(bytes), file, [&] {
    // Decoders want unsigned bytes, and do not write to them.
    const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
    return bytes.empty() ? cv::Mat() : cv::imdecode(encoded, cv::IMREAD_UNCHANGED);
  });
}

cv::Mat decode(const std::filesystem::path& file) {
  if (file_length(file) < kLargeFile) return decoded(read_image_bytes(file), file);
  // The bytes of a large file are not held beside its pixels.
  const FileReader reader(file);
  std::string head(kLargeFile / 2, '\0');
  reader.read_at(0, head.data(), head.size());
  const auto size = stated_size(head);
  if (!size) return decoded(read_image_bytes(file), file);
  refuse_too_large(size, reader.length(), file);
  std::string ends = head.substr(0, 64) + std::string(4096, '\0');
  reader.read_at(reader.length() - 4096, ends.data() + 64, 4096);
  return checked(ends, reader.length(), stated_orientation(head), file,
                 [&] { return cv::imread(file.string(), cv::IMREAD_UNCHANGED); });
}

cv::Mat in_image_range(cv::Mat picture, const std::filesystem::path& file) {
  if (picture.depth() < CV_32F) return picture;
  double low = 0;
  double high = 0;
  cv::minMaxLoc(picture.reshape(1), &low, &high);
  if (low >= -kBeyondRange && high <= 1 + kBeyondRange) return picture;
  throw Error(
      fmt::format("the image {} holds floating numbers from {:g} to {:g}, but black is 0 and white is 1; scale "
                  "them, or save it with 8 or 16 bits",
                  file.string(), low, high));
}

cv::Mat as_color(cv::Mat picture) {
  const bool whole_numbers = picture.depth() == CV_8U || picture.depth() == CV_16U;
  if (!whole_numbers) {
    picture.convertTo(picture, CV_32F);
    picture = cv::min(cv::max(picture, 0.0), 1.0);
  }
  // Channels are moved first, while numbers are small.
  const int order = picture.channels() == 1   ? cv::COLOR_GRAY2RGB
                    : picture.channels() == 3 ? cv::COLOR_BGR2RGB
                                              : cv::COLOR_BGRA2RGB;
  cv::Mat color;
  cv::cvtColor(picture, color, order);
  picture.release();
  if (!whole_numbers) return color;
  cv::Mat scaled;
  color.convertTo(scaled, CV_32F, 1.0 / (color.depth() == CV_8U ? 255 : 65535));
  return scaled;
}

}  // namespace nbs::data
