// SPDX-License-Identifier: Apache-2.0
#include <matio.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/base/files.h"
#include "nbs/data/image.h"
#include "nbs/data/npy.h"

#include "scratch.h"
#include "target.h"

namespace nbs::fuzz {

namespace {

namespace fs = std::filesystem;

// 24 x 20 pixels of a smooth pattern with a bright square.
cv::Mat pattern(int type) {
  cv::Mat gray(20, 24, CV_8UC1);
  for (int y = 0; y < gray.rows; ++y) {
    for (int x = 0; x < gray.cols; ++x)
      gray.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(x > 4 && x < 9 && y > 4 && y < 9 ? 255 : 3 * x + 5 * y);
  }
  cv::Mat image = gray;
  if (CV_MAT_CN(type) == 3) cv::cvtColor(gray, image, cv::COLOR_GRAY2BGR);
  if (CV_MAT_CN(type) == 4) cv::cvtColor(gray, image, cv::COLOR_GRAY2BGRA);
  if (CV_MAT_DEPTH(type) == CV_16U) image.convertTo(image, CV_16U, 257);
  return image;
}

Seed encoded(const std::string& name, int type) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(fs::path(name).extension().string(), pattern(type), bytes);
  return {name, std::string(bytes.begin(), bytes.end())};
}

fs::path written(const Seed& input, const fs::path& scratch) {
  const auto file = scratch / ("input" + fs::path(input.name).extension().string());
  write_file(file, input.bytes);
  return file;
}

// groundTruth.Segmentation of 4 x 6 labels, as MATLAB writes it: compressed, of class double.
std::string compressed_mat(const fs::path& file) {
  std::vector<double> labels(24, 1.0);
  labels[7] = labels[8] = 2;
  std::size_t extents[2] = {4, 6};
  std::size_t one[2] = {1, 1};
  const char* fields[] = {"Segmentation"};
  mat_t* const mat = Mat_CreateVer(file.c_str(), nullptr, MAT_FT_MAT5);
  matvar_t* const truth = Mat_VarCreateStruct("groundTruth", 2, one, fields, 1);
  Mat_VarSetStructFieldByName(truth, "Segmentation", 0,
                              Mat_VarCreate("Segmentation", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, extents, labels.data(), 0));
  Mat_VarWrite(mat, truth, MAT_COMPRESSION_ZLIB);
  Mat_VarFree(truth);
  Mat_Close(mat);
  return read_file(file);
}

// Both readers see each input; refused is what neither takes (a JPEG is an image, but no mask).
template <typename First, typename Second>
void both(const First& first, const Second& second) {
  bool taken = false;
  try {
    first();
    taken = true;
  } catch (const Error&) {
    // As it should be.
  }
  try {
    second();
  } catch (const Error&) {
    if (!taken) throw;
  }
}

}  // namespace

Target image_target() {
  Target target;
  target.name = "image";
  target.seeds = {encoded("gray.png", CV_8UC1),   encoded("color.png", CV_8UC3), encoded("alpha.png", CV_8UC4),
                  encoded("deep.png", CV_16UC1),  encoded("gray.jpg", CV_8UC1),  encoded("color.jpg", CV_8UC3),
                  encoded("color.bmp", CV_8UC3),  encoded("gray.tiff", CV_8UC1), encoded("deep.tiff", CV_16UC3),
                  encoded("color.webp", CV_8UC3), encoded("gray.pgm", CV_8UC1)};
  target.words = {"IHDR", "IDAT", "PLTE", "tRNS", "IEND", "eXIf", "Exif"};
  target.read = [](const Seed& input, const fs::path& scratch) {
    const auto file = written(input, scratch);
    both([&] { data::read_image(file); }, [&] { data::read_mask_image(file); });
  };
  return target;
}

Target mat_target() {
  Target target;
  target.name = "mat";
  const test::Scratch scratch;
  cv::Mat mask = pattern(CV_8UC1);
  cv::threshold(mask, mask, 200, 1, cv::THRESH_BINARY);
  data::write_mask_mat(scratch / "mask.mat", mask);
  target.seeds = {{"mask.mat", read_file(scratch / "mask.mat")},
                  {"compressed.mat", compressed_mat(scratch / "compressed.mat")}};
  target.words = {"groundTruth", "Segmentation", "MATLAB 5.0 MAT-file"};
  target.read = [](const Seed& input, const fs::path& folder) { data::read_mask_mat(written(input, folder), {2}); };
  return target;
}

Target npy_target() {
  Target target;
  target.name = "npy";
  const auto header = [](const std::string& dictionary) {
    std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(dictionary.size());
    bytes += '\0';
    return bytes + dictionary;
  };
  target.seeds = {
      {"map.npy", data::npy_bytes({0.0F, 0.25F, 0.5F, 0.75F, 1.0F, 0.125F}, {2, 3})},
      {"double.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }\n") + std::string(32, '\1')},
      {"bytes.npy", header("{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }\n") + "abcdef"}};
  target.words = {"'shape': (", "'descr': '<f4'", "'fortran_order': True", "(-1, 3)", "99999999999999999999"};
  target.read = [](const Seed& input, const fs::path& scratch) { data::read_npy(written(input, scratch)); };
  return target;
}

}  // namespace nbs::fuzz
