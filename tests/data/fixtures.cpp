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
