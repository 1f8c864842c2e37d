// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <matio.h>

#include "nbs/data/image.h"

#include "deflated.h"
#include "error_text.h"
#include "fixtures.h"
#include "mutation.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;

namespace {

// A .mat file with one variable: a struct `variable` with one matrix `field` of 2 rows and 3 columns, by column.
template <typename Element>
void write_struct(const std::filesystem::path& file, const char* variable, const char* field, matio_classes class_type,
                  matio_types type, std::vector<Element> labels, matio_compression compression = MAT_COMPRESSION_NONE) {
  mat_t* const mat = Mat_CreateVer(file.c_str(), nullptr, MAT_FT_MAT5);
  std::size_t extents[2] = {2, labels.size() / 2};
  std::size_t one[2] = {1, 1};
  const char* fields[] = {field};
  matvar_t* const truth = Mat_VarCreateStruct(variable, 2, one, fields, 1);
  Mat_VarSetStructFieldByName(truth, field, 0, Mat_VarCreate(field, class_type, type, 2, extents, labels.data(), 0));
  Mat_VarWrite(mat, truth, compression);
  Mat_VarFree(truth);
  Mat_Close(mat);
}

void check_labels(const std::filesystem::path& file) {
  const cv::Mat cracks = data::read_mask_mat(file, {2});
  REQUIRE(cracks.size() == cv::Size(3, 2));
  // By column 1 2 | 3 4 | 2 1: the first row is 1 3 2, the second 2 4 1.
  CHECK(cv::countNonZero(cracks != (cv::Mat_<unsigned char>(2, 3) << 0, 0, 1, 1, 0, 0)) == 0);
  const cv::Mat most = data::read_mask_mat(file, {2, 3, 4});
  CHECK(cv::countNonZero(most != (cv::Mat_<unsigned char>(2, 3) << 0, 1, 1, 1, 1, 0)) == 0);
  CHECK(cv::countNonZero(data::read_mask_mat(file, {})) == 0);
}

}  // namespace

TEST_CASE("labels are taken by column, and the option decides which count as anomalous") {
  const test::Scratch scratch;
  const auto file = scratch / "a.mat";
  write_struct<std::uint8_t>(file, "groundTruth", "Segmentation", MAT_C_UINT8, MAT_T_UINT8, {1, 2, 3, 4, 2, 1});
  check_labels(file);
}

TEST_CASE("labels of any numeric class are read, compressed or not") {
  const test::Scratch scratch;
  write_struct<std::uint16_t>(scratch / "u16.mat", "groundTruth", "Segmentation", MAT_C_UINT16, MAT_T_UINT16,
                              {1, 2, 3, 4, 2, 1});
  write_struct<std::int32_t>(scratch / "i32.mat", "groundTruth", "Segmentation", MAT_C_INT32, MAT_T_INT32,
                             {1, 2, 3, 4, 2, 1});
  write_struct<float>(scratch / "single.mat", "groundTruth", "Segmentation", MAT_C_SINGLE, MAT_T_SINGLE,
                      {1, 2, 3, 4, 2, 1});
  write_struct<double>(scratch / "double.mat", "groundTruth", "Segmentation", MAT_C_DOUBLE, MAT_T_DOUBLE,
                       {1, 2, 3, 4, 2, 1}, MAT_COMPRESSION_ZLIB);
  for (const char* name : {"u16.mat", "i32.mat", "single.mat", "double.mat"}) {
    CAPTURE(name);
    check_labels(scratch / name);
  }
}

TEST_CASE("a mask that is written is read back") {
  const test::Scratch scratch;
  cv::Mat mask = cv::Mat::zeros(7, 11, CV_8UC1);
  mask.at<unsigned char>(0, 10) = 1;
  mask.at<unsigned char>(6, 3) = 1;
  data::write_mask_mat(scratch / "a.mat", mask);
  CHECK(cv::countNonZero(data::read_mask_mat(scratch / "a.mat", {2}) != mask) == 0);
  CHECK(test::error_text([&] { data::write_mask_mat(scratch / "none" / "a.mat", mask); }) ==
        Contains("failed: No such file or directory"));
}

TEST_CASE("a .mat file without the field is refused by name") {
  const test::Scratch scratch;
  write_struct<std::uint8_t>(scratch / "field.mat", "groundTruth", "Boundaries", MAT_C_UINT8, MAT_T_UINT8,
                             {1, 2, 3, 4, 2, 1});
  write_struct<std::uint8_t>(scratch / "variable.mat", "truth", "Segmentation", MAT_C_UINT8, MAT_T_UINT8,
                             {1, 2, 3, 4, 2, 1});
  write_struct<char>(scratch / "text.mat", "groundTruth", "Segmentation", MAT_C_CHAR, MAT_T_UINT8,
                     {'a', 'b', 'c', 'd', 'e', 'f'});
  for (const char* name : {"field.mat", "variable.mat", "text.mat"}) {
    CAPTURE(name);
    CHECK(
        test::error_text([&] { data::read_mask_mat(scratch / name, {2}); }) ==
        test::text(
            "the file " + (scratch / name).string() +
            " has no matrix groundTruth.Segmentation, as CrackForest's have; it is another kind of file, or damaged"));
  }
}

TEST_CASE("a matrix of complex numbers is refused: its memory is laid out otherwise") {
  const test::Scratch scratch;
  double real[6] = {1, 2, 3, 4, 2, 1};
  double imaginary[6] = {};
  mat_complex_split_t both = {real, imaginary};
  mat_t* const mat = Mat_CreateVer((scratch / "a.mat").c_str(), nullptr, MAT_FT_MAT5);
  std::size_t extents[2] = {2, 3};
  std::size_t one[2] = {1, 1};
  const char* fields[] = {"Segmentation"};
  matvar_t* const truth = Mat_VarCreateStruct("groundTruth", 2, one, fields, 1);
  Mat_VarSetStructFieldByName(
      truth, "Segmentation", 0,
      Mat_VarCreate("Segmentation", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, extents, &both, MAT_F_COMPLEX));
  Mat_VarWrite(mat, truth, MAT_COMPRESSION_NONE);
  Mat_VarFree(truth);
  Mat_Close(mat);
  CHECK(test::error_text([&] { data::read_mask_mat(scratch / "a.mat", {2}); }) ==
        Contains("has no matrix groundTruth.Segmentation"));
}

TEST_CASE("a .mat file that is missing, foreign or cut short is refused") {
  const test::Scratch scratch;
  scratch.write("text.mat", "no MATLAB file");
  CHECK(test::error_text([&] { data::read_mask_mat(scratch / "none.mat", {2}); }) ==
        Contains("none.mat cannot be opened"));
  CHECK(test::error_text([&] { data::read_mask_mat(scratch / "text.mat", {2}); }) ==
        Contains("text.mat (14 bytes) cannot be read as a MATLAB file"));
  const std::vector<std::uint8_t> labels(2000, 2);
  for (const auto compression : {MAT_COMPRESSION_NONE, MAT_COMPRESSION_ZLIB}) {
    write_struct<std::uint8_t>(scratch / "whole.mat", "groundTruth", "Segmentation", MAT_C_UINT8, MAT_T_UINT8, labels,
                               compression);
    const auto whole = test::read_bytes(scratch / "whole.mat");
    REQUIRE(cv::countNonZero(data::read_mask_mat(scratch / "whole.mat", {2})) == 2000);
    for (const double share : {0.01, 0.2, 0.5, 0.9, 0.99}) {
      CAPTURE(static_cast<int>(compression));
      CAPTURE(share);
      test::write_bytes(scratch / "cut.mat",
                        whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
      CHECK(test::error_text([&] { data::read_mask_mat(scratch / "cut.mat", {2}); }) == Contains("cut.mat"));
    }
  }
}

TEST_CASE("files that other programs write are read: other byte order, 64-bit labels, other variables before") {
  const test::Scratch scratch;
  // As MATLAB on another machine writes it: every number turned round.
  const auto turned = [](std::uint32_t word) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0})
      bytes += static_cast<char>(word >> shift & 255U);
    return bytes;
  };
  const auto element = [&](std::uint32_t type, std::string content) {
    std::string bytes = turned(type) + turned(static_cast<std::uint32_t>(content.size())) + content;
    bytes.append((8 - bytes.size() % 8) % 8, '\0');
    return bytes;
  };
  const auto head = [&](std::uint32_t kind, std::uint32_t rows, std::uint32_t columns, const std::string& name) {
    return element(6, turned(kind) + turned(0)) + element(5, turned(rows) + turned(columns)) + element(1, name);
  };
  std::string labels;
  for (const std::uint32_t label : {1, 2, 3, 4, 2, 1})
    labels += turned(0) + turned(label);
  std::string names = "Boundaries";
  names.resize(16, '\0');
  names += "Segmentation";
  names.resize(32, '\0');
  const std::string truth = head(2, 1, 1, "groundTruth") + turned(4U << 16 | 5U) + turned(16) + element(1, names) +
                            element(14, head(9, 1, 1, "") + element(2, "\x07")) +
                            element(14, head(14, 2, 3, "") + element(12, labels));
  std::string file = "MATLAB 5.0 MAT-file";
  file.resize(124, ' ');
  file += std::string("\x01\0MI", 4) + element(14, head(6, 1, 1, "other") + element(9, std::string(8, '\0'))) +
          element(14, truth);
  check_labels(scratch.write("turned.mat", file));
}

TEST_CASE("MATLAB 4 and 7.3 files are refused with the version to save as") {
  const test::Scratch scratch;
  const auto write = [&](const std::string& name, mat_ft version) {
    mat_t* const mat = Mat_CreateVer((scratch / name).c_str(), nullptr, version);
    REQUIRE(mat != nullptr);
    double values[6] = {1, 2, 3, 4, 2, 1};
    std::size_t extents[2] = {2, 3};
    matvar_t* const matrix = Mat_VarCreate("groundTruth", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, extents, values, 0);
    Mat_VarWrite(mat, matrix, MAT_COMPRESSION_NONE);
    Mat_VarFree(matrix);
    Mat_Close(mat);
  };
  write("four.mat", MAT_FT_MAT4);
  write("hdf.mat", MAT_FT_MAT73);
  const auto four = test::error_text([&] { data::read_mask_mat(scratch / "four.mat", {2}); });
  CHECK(four == Contains("is a MATLAB 4 file"));
  CHECK(four == Contains("'-v7'"));
  const auto hdf = test::error_text([&] { data::read_mask_mat(scratch / "hdf.mat", {2}); });
  CHECK(hdf == Contains("is a MATLAB 7.3 file (HDF5)"));
  CHECK(hdf == Contains("'-v7'"));
}

TEST_CASE("a small file that claims a huge matrix, or unpacks to one, is refused at once") {
  const test::Scratch scratch;
  write_struct<std::uint8_t>(scratch / "a.mat", "groundTruth", "Segmentation", MAT_C_UINT8, MAT_T_UINT8,
                             std::vector<std::uint8_t>(2000, 2));
  const auto whole = test::read_bytes(scratch / "a.mat");
  // The extents 2 x 1000 of the matrix.
  const std::string extents("\x02\0\0\0\xE8\x03\0\0", 8);
  const auto at = whole.find(extents);
  REQUIRE(at != std::string::npos);
  for (const auto& claim : {std::string("\xFF\xFF\xFF\x7F\xFF\xFF\xFF\x7F", 8), std::string("\0\0\0\x40\0\0\0\x40", 8),
                            std::string("\xFE\xFF\xFF\xFF\xE8\x03\0\0", 8)}) {
    auto file = whole;
    file.replace(at, 8, claim);
    test::write_bytes(scratch / "claim.mat", file);
    CHECK(test::error_text([&] { data::read_mask_mat(scratch / "claim.mat", {2}); }) == Contains("is damaged"));
  }
  // Two gigabytes of zeros, said to be in an element of some bytes.
  std::string tag(8, '\0');
  tag[0] = 14;
  for (const char last : {'\x7F', '\x3F'}) {
    tag[7] = last;
    const auto packed = test::deflated(tag + std::string(100000, '\0'));
    std::string file = whole.substr(0, 128) + std::string("\x0F\0\0\0", 4);
    for (int k = 0; k < 4; ++k)
      file += static_cast<char>(packed.size() >> (8 * k) & 255U);
    test::write_bytes(scratch / "bomb.mat", file + packed);
    CHECK(test::error_text([&] { data::read_mask_mat(scratch / "bomb.mat", {2}); }) ==
          (last == '\x7F' ? Contains("more than 1 GiB") : Contains("is damaged")));
  }
}

// Neither a crash nor an endless loop nor anything but a sentence or a mask of 0 and 1 may come of a damaged file. More
// of them by NBS_TEST_MUTATIONS.
TEST_CASE("mutated .mat files are read or refused, never more") {
  const test::Scratch scratch;
  std::vector<std::string> wholes;
  for (const auto compression : {MAT_COMPRESSION_NONE, MAT_COMPRESSION_ZLIB}) {
    write_struct<std::uint8_t>(scratch / "a.mat", "groundTruth", "Segmentation", MAT_C_UINT8, MAT_T_UINT8,
                               {1, 2, 3, 4, 2, 1, 2, 2}, compression);
    wholes.push_back(test::read_bytes(scratch / "a.mat"));
    write_struct<double>(scratch / "a.mat", "groundTruth", "Segmentation", MAT_C_DOUBLE, MAT_T_DOUBLE,
                         std::vector<double>(200, 2.0), compression);
    wholes.push_back(test::read_bytes(scratch / "a.mat"));
  }
  data::write_mask_mat(scratch / "a.mat", test::stripe_mask(9, 7, 2, 5));
  wholes.push_back(test::read_bytes(scratch / "a.mat"));
  std::int64_t read = 0;
  std::int64_t refused = 0;
  for (std::int64_t k = 0; k < test::mutations(3000); ++k) {
    CAPTURE(k);
    const auto& whole = wholes[static_cast<std::size_t>(k) % wholes.size()];
    test::write_bytes(scratch / "b.mat", test::mutated(whole, static_cast<std::uint64_t>(k)));
    try {
      const cv::Mat mask = data::read_mask_mat(scratch / "b.mat", {2});
      ++read;
      REQUIRE(mask.type() == CV_8UC1);
      REQUIRE(mask.total() >= 1);
      REQUIRE(cv::countNonZero(mask > 1) == 0);
    } catch (const Error& error) {
      ++refused;
      REQUIRE(std::string(error.what()).find("b.mat") != std::string::npos);
    }
  }
  // Both happen often: the mutations are neither harmless nor all fatal.
  CHECK(read > test::mutations(3000) / 50);
  CHECK(refused > test::mutations(3000) / 5);
}
