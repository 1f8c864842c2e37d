// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <matio.h>

#include "nbs/data/image.h"
#include "nbs/error.h"

namespace nbs::data {

namespace {

struct CloseFile {
  void operator()(mat_t* file) const { Mat_Close(file); }
};
struct FreeVariable {
  void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};
using File = std::unique_ptr<mat_t, CloseFile>;
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

// matio prints to the terminal what goes wrong; our own sentences say it. Older versions of it hand over char*, newer
// ones const char*.
template <typename Text>
void no_log(int, Text) {}

double element(const matvar_t& variable, std::size_t index) {
  switch (variable.class_type) {
    case MAT_C_UINT8:
      return static_cast<const std::uint8_t*>(variable.data)[index];
    case MAT_C_INT8:
      return static_cast<const std::int8_t*>(variable.data)[index];
    case MAT_C_UINT16:
      return static_cast<const std::uint16_t*>(variable.data)[index];
    case MAT_C_INT16:
      return static_cast<const std::int16_t*>(variable.data)[index];
    case MAT_C_UINT32:
      return static_cast<const std::uint32_t*>(variable.data)[index];
    case MAT_C_INT32:
      return static_cast<const std::int32_t*>(variable.data)[index];
    case MAT_C_SINGLE:
      return static_cast<const float*>(variable.data)[index];
    default:
      return static_cast<const double*>(variable.data)[index];
  }
}

bool numeric(const matvar_t& variable) {
  return variable.class_type >= MAT_C_DOUBLE && variable.class_type <= MAT_C_UINT32 && variable.isComplex == 0;
}

// matio fills the missing part of a file that was cut short with whatever was in memory and does not say so. In a
// MATLAB 5 file every element says its length, so its end must lie within the file.
bool cut_short(const std::filesystem::path& file) {
  constexpr std::uint64_t kHeader = 128;
  std::ifstream stream(file, std::ios::binary);
  std::array<char, kHeader> header{};
  stream.read(header.data(), kHeader);
  // Version 1.0 in this machine's byte order: other kinds of file are laid out otherwise.
  const bool matlab5 = stream && header[125] == 1 && header[126] == 'I' && header[127] == 'M';
  if (!matlab5) return false;
  const std::uint64_t size = std::filesystem::file_size(file);
  std::uint64_t at = kHeader;
  while (at < size) {
    std::array<std::uint32_t, 2> tag{};  // type, bytes
    stream.seekg(static_cast<std::streamoff>(at));
    stream.read(reinterpret_cast<char*>(tag.data()), sizeof tag);
    if (!stream || at + sizeof tag + tag[1] > size) return true;
    at += sizeof tag + tag[1];
  }
  return false;
}

}  // namespace

cv::Mat read_mask_mat(const std::filesystem::path& file, const std::vector<std::int64_t>& anomalous_labels) {
  Mat_LogInitFunc("nbs", no_log);
  const File mat(Mat_Open(file.c_str(), MAT_ACC_RDONLY));
  if (!mat) {
    throw Error(fmt::format("the file {} cannot be read as a MATLAB file; check that it exists and is complete",
                            file.string()));
  }
  if (cut_short(file)) {
    throw Error(fmt::format("the file {} ({} bytes) is cut short; copy it again", file.string(),
                            std::filesystem::file_size(file)));
  }
  const Variable truth(Mat_VarRead(mat.get(), "groundTruth"));
  const matvar_t* labels = nullptr;
  if (truth && truth->class_type == MAT_C_STRUCT) labels = Mat_VarGetStructFieldByName(truth.get(), "Segmentation", 0);
  if (labels == nullptr || labels->rank != 2 || labels->data == nullptr || !numeric(*labels)) {
    throw Error(
        fmt::format("the file {} has no matrix groundTruth.Segmentation, as CrackForest's have; it is another kind "
                    "of file, or damaged",
                    file.string()));
  }
  const auto rows = static_cast<int>(labels->dims[0]);
  const auto columns = static_cast<int>(labels->dims[1]);
  cv::Mat mask(rows, columns, CV_8UC1);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      // MATLAB keeps matrices by column.
      const double label = element(*labels, static_cast<std::size_t>(x) * rows + y);
      bool anomalous = false;
      for (const auto wanted : anomalous_labels)
        anomalous = anomalous || label == static_cast<double>(wanted);
      mask.at<std::uint8_t>(y, x) = anomalous ? 1 : 0;
    }
  }
  return mask;
}

void write_mask_mat(const std::filesystem::path& file, const cv::Mat& mask) {
  std::vector<std::uint8_t> labels;
  for (int x = 0; x < mask.cols; ++x) {
    for (int y = 0; y < mask.rows; ++y)
      labels.push_back(mask.at<std::uint8_t>(y, x) != 0 ? 2 : 1);
  }
  Mat_LogInitFunc("nbs", no_log);
  const File mat(Mat_CreateVer(file.c_str(), nullptr, MAT_FT_MAT5));
  if (!mat) throw Error(fmt::format("the file {} cannot be written; check that its folder exists", file.string()));
  std::size_t extents[2] = {static_cast<std::size_t>(mask.rows), static_cast<std::size_t>(mask.cols)};
  std::size_t one[2] = {1, 1};
  const char* fields[] = {"Segmentation"};
  const Variable truth(Mat_VarCreateStruct("groundTruth", 2, one, fields, 1));
  Mat_VarSetStructFieldByName(truth.get(), "Segmentation", 0,
                              Mat_VarCreate("Segmentation", MAT_C_UINT8, MAT_T_UINT8, 2, extents, labels.data(), 0));
  if (Mat_VarWrite(mat.get(), truth.get(), MAT_COMPRESSION_NONE) != 0)
    throw Error(fmt::format("writing {} failed; is the disk full?", file.string()));
}

}  // namespace nbs::data
