// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/data/image.h"
#include "nbs/data/synthetic.h"
#include "nbs/error.h"

namespace nbs::data {

namespace {

void write_picture(const std::filesystem::path& file, const cv::Mat& picture) {
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  bool written = false;
  try {
    written = cv::imwrite(file.string(), picture);
  } catch (const cv::Exception&) {
    written = false;
  }
  if (!written)
    throw Error(
        fmt::format("writing {} failed; check that the folder may be written to and the disk has room", file.string()));
}

cv::Mat to_bytes(const cv::Mat& image, bool grey) {
  cv::Mat picture;
  cv::cvtColor(image, picture, grey ? cv::COLOR_RGB2GRAY : cv::COLOR_RGB2BGR);
  picture.convertTo(picture, CV_8U, 255);
  return picture;
}

}  // namespace

void export_synthetic(const std::filesystem::path& folder, Format layout, const DataOptions& options) {
  if (layout == Format::synthetic)
    throw Error("generated images have no layout of their own; choose crackforest, mvtec, nanotwice or folder");
  DataOptions wanted = options;
  wanted.auxiliary = std::max<std::int64_t>(1, options.count / 4);
  const auto listing = list_synthetic(wanted);
  const auto seed = static_cast<std::uint64_t>(options.split_seed);
  const auto make = [&](const Sample& sample) {
    return synthesise(options.surface, options.image_size, seed, sample.index);
  };
  for (const auto& sample : listing.samples) {
    const auto made = make(sample);
    const std::string name = fmt::format("{:03}", sample.index);
    if (layout == Format::crackforest) {
      write_picture(folder / "image" / (name + ".jpg"), to_bytes(made.image, false));
      std::error_code ignored;  // the mask that cannot be written says it
      std::filesystem::create_directories(folder / "groundTruth", ignored);
      write_mask_mat(folder / "groundTruth" / (name + ".mat"), made.mask);
    } else if (layout == Format::mvtec) {
      write_picture(folder / "test" / made.type / (name + ".png"), to_bytes(made.image, false));
      if (made.type != "good")
        write_picture(folder / "ground_truth" / made.type / (name + "_mask.png"), made.mask * 255);
    } else if (layout == Format::nanotwice) {
      if (made.type == "good") continue;  // all of NanoTWICE's test images show anomalies
      write_picture(folder / "Anomalous" / "images" / (name + ".tif"), to_bytes(made.image, true));
      write_picture(folder / "Anomalous" / "gt" / (name + "_gt.png"), made.mask * 255);
    } else {
      write_picture(folder / "images" / (name + ".png"), to_bytes(made.image, false));
      write_picture(folder / "masks" / (name + ".png"), made.mask * 255);
    }
  }
  for (const auto& sample : listing.auxiliary) {
    const auto made = make(sample);
    const std::string name = fmt::format("{:03}", sample.index);
    if (layout == Format::mvtec)
      write_picture(folder / "train" / "good" / (name + ".png"), to_bytes(made.image, false));
    if (layout == Format::nanotwice) write_picture(folder / "Normal" / (name + ".tif"), to_bytes(made.image, true));
  }
}

}  // namespace nbs::data
