// SPDX-License-Identifier: Apache-2.0
#include "fixtures.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <opencv2/imgcodecs.hpp>

namespace nbs::test {

data::DataOptions options_for(const std::string& format, const std::filesystem::path& root, std::int64_t labeled) {
  data::DataOptions options;
  options.format = choice_value(format, data::formats());
  options.root = root.string();
  options.image_size = 16;
  options.labeled = labeled;
  options.anomalous_labels = {2};
  options.auxiliary = 1000;
  return options;
}

void write_picture(const std::filesystem::path& file, const cv::Mat& picture) {
  std::filesystem::create_directories(file.parent_path());
  if (!cv::imwrite(file.string(), picture)) throw std::runtime_error("cannot write " + file.string());
}

cv::Mat color_picture(int rows, int columns) {
  cv::Mat picture(rows, columns, CV_8UC3);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      picture.at<cv::Vec3b>(y, x) = {static_cast<unsigned char>((y * 37 + x * 11) % 256),
                                     static_cast<unsigned char>((y * 5 + x * 83) % 256),
                                     static_cast<unsigned char>((y * 13 + x * 29 + 91) % 256)};
    }
  }
  return picture;
}

cv::Mat stripe_mask(int rows, int columns, int from, int to) {
  cv::Mat mask = cv::Mat::zeros(rows, columns, CV_8UC1);
  mask.colRange(from, to).setTo(255);
  return mask;
}

void write_folder_layout(const std::filesystem::path& root, int count, const std::string& anomalous) {
  for (int i = 0; i < count; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    const bool shows = anomalous.find(name) != std::string::npos;
    write_picture(root / "images" / (name + ".png"), color_picture(24, 32));
    write_picture(root / "masks" / (name + ".png"), stripe_mask(24, 32, 8, shows ? 16 : 8));
  }
}

namespace {

std::string number(std::uint32_t value, int bytes, bool is_big) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> 8 * (is_big ? bytes - 1 - i : i));
  return text;
}

std::string little(std::uint32_t value, int bytes = 4) {
  return number(value, bytes, false);
}

std::string big(std::uint32_t value, int bytes = 4) {
  return number(value, bytes, true);
}

// A TIFF directory's entry with one number of 16 or 32 bits.
std::string entry(std::uint32_t tag, std::uint32_t value, bool is_short, bool is_big = false) {
  const auto of = [is_big](std::uint32_t v, int bytes) { return number(v, bytes, is_big); };
  const auto held = is_short ? of(value, 2) + std::string(2, '\0') : of(value, 4);
  return of(tag, 2) + of(is_short ? 3 : 4, 2) + of(1, 4) + held;
}

std::string exif(int orientation, bool is_big) {
  const auto of = [is_big](std::uint32_t v, int bytes) { return number(v, bytes, is_big); };
  return (is_big ? "MM" : "II") + of(42, 2) + of(8, 4) + of(2, 2) + entry(256, 7, true, is_big) +
         entry(274, static_cast<std::uint32_t>(orientation), true, is_big) + of(0, 4);
}

std::string encoded(const cv::Mat& picture, const char* extension, const std::vector<int>& parameters = {}) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(extension, picture, bytes, parameters);
  return {bytes.begin(), bytes.end()};
}

std::string png_chunk(const std::string& name_and_data) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : name_and_data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 1U) != 0 ? 0xEDB88320U ^ (crc >> 1U) : crc >> 1U;
  }
  return big(static_cast<std::uint32_t>(name_and_data.size() - 4)) + name_and_data + big(~crc);
}

std::string riff_chunk(const std::string& name, const std::string& data) {
  return name + little(static_cast<std::uint32_t>(data.size())) + data + std::string(data.size() % 2, '\0');
}

// Uncompressed red, green and blue.
std::string tiff(const cv::Mat& picture, int orientation) {
  std::string pixels;
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      const auto& pixel = picture.at<cv::Vec3b>(y, x);
      for (int c = 2; c >= 0; --c)
        pixels += static_cast<char>(pixel[c]);
    }
  }
  constexpr std::uint32_t kEntries = 10;
  constexpr std::uint32_t kBits = 8 + 2 + 12 * kEntries + 4;  // where the bits of the three colors stand
  const auto rows = static_cast<std::uint32_t>(picture.rows);
  return "II" + little(42, 2) + little(8) + little(kEntries, 2) +
         entry(256, static_cast<std::uint32_t>(picture.cols), true) + entry(257, rows, true) + little(258, 2) +
         little(3, 2) + little(3) + little(kBits) + entry(259, 1, true) + entry(262, 2, true) +
         entry(273, kBits + 6, false) + entry(274, static_cast<std::uint32_t>(orientation), true) +
         entry(277, 3, true) + entry(278, rows, true) + entry(279, static_cast<std::uint32_t>(pixels.size()), false) +
         little(0) + little(8, 2) + little(8, 2) + little(8, 2) + pixels;
}

}  // namespace

std::map<std::string, std::string> with_orientation(const cv::Mat& picture, int orientation) {
  std::map<std::string, std::string> files;
  const auto segment = std::string("Exif\0\0", 6) + exif(orientation, true);
  files["a.jpg"] = encoded(picture, ".jpg", {cv::IMWRITE_JPEG_QUALITY, 100});
  files["a.jpg"].insert(2, "\xFF\xE1" + big(static_cast<std::uint32_t>(segment.size() + 2), 2) + segment);
  constexpr std::size_t kBehindHeader = 8 + 25;
  files["a.png"] = encoded(picture, ".png");
  files["a.png"].insert(kBehindHeader, png_chunk("eXIf" + exif(orientation, false)));
  constexpr int kLossless = 101;
  const auto image = encoded(picture, ".webp", {cv::IMWRITE_WEBP_QUALITY, kLossless}).substr(12);
  const auto size =
      little(static_cast<std::uint32_t>(picture.cols - 1), 3) + little(static_cast<std::uint32_t>(picture.rows - 1), 3);
  constexpr std::uint32_t kHasExif = 8;
  const auto inside =
      "WEBP" + riff_chunk("VP8X", little(kHasExif) + size) + image + riff_chunk("EXIF", exif(orientation, false));
  files["a.webp"] = "RIFF" + little(static_cast<std::uint32_t>(inside.size())) + inside;
  files["a.tif"] = tiff(picture, orientation);
  return files;
}

std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::vector<std::string> ids_of(const std::vector<data::Sample>& samples) {
  std::vector<std::string> ids;
  for (const auto& sample : samples)
    ids.push_back(sample.id);
  return ids;
}

}  // namespace nbs::test
