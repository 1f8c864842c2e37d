// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <matio.h>

#include "nbs/data/image.h"

#include "error_text.h"
#include "fixtures.h"
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
        Contains("cannot be written"));
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
        Contains("none.mat cannot be read as a MATLAB file"));
  CHECK(test::error_text([&] { data::read_mask_mat(scratch / "text.mat", {2}); }) ==
        Contains("text.mat cannot be read as a MATLAB file"));
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
