// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "nbs/data/sample.h"
#include "nbs/error.h"

#include "files.h"

namespace nbs::data {

namespace {

// The folders of test/, each a type of defect, sorted.
std::vector<std::filesystem::path> type_folders(const std::filesystem::path& test) {
  std::vector<std::filesystem::path> types;
  std::error_code failed;
  const std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator at(test, failed); !failed && at != end; at.increment(failed)) {
    std::error_code ignored;
    if (has_image_name(at->path())) {
      throw Error(fmt::format("{} lies beside the folders that name the types of defect; move it into one of them",
                              at->path().string()));
    }
    // Other files, such as a licence, are no type; what cannot be reached might be one.
    if (!std::filesystem::is_regular_file(at->path(), ignored) && is_folder(at->path())) types.push_back(at->path());
  }
  if (failed) throw Error(fmt::format("the folder {} cannot be read: {}", test.string(), failed.message()));
  std::sort(types.begin(), types.end());
  return types;
}

}  // namespace

// MVTec AD (Bergmann et al. 2019): train/good, test/<type>, ground_truth/<type>/<stem>_mask.png.
Listing list_mvtec(const std::filesystem::path& class_folder) {
  const auto test = class_folder / "test";
  if (!is_folder(test)) {
    throw Error(
        fmt::format("{} has no folder test, so it is no class of MVTec AD; set data.root to the class's folder, or "
                    "data.category to its name below data.root",
                    class_folder.string()));
  }
  const auto types = type_folders(test);
  Listing listing;
  for (const auto& folder : types) {
    const std::string type = folder.filename().string();
    const auto masks = image_files_if_any(class_folder / "ground_truth" / type);
    for (const auto& image : image_files_if_any(folder)) {
      Sample sample;
      sample.id = type + "_" + image.stem().string();
      sample.image = image;
      sample.type = type;
      if (type == "good") {
        sample.mask_source = MaskSource::all_clear;
      } else {
        sample.mask_source = MaskSource::file;
        sample.mask = mask_with_stem(masks, image.stem().string(), "_mask");
        if (sample.mask.empty()) {
          throw Error(fmt::format("the image {} has no mask: there is no {}_mask in {}; add it or remove the image",
                                  image.string(), image.stem().string(),
                                  (class_folder / "ground_truth" / type).string()));
        }
      }
      listing.samples.push_back(std::move(sample));
    }
  }
  if (listing.samples.empty()) {
    throw Error(
        fmt::format("no image file is in the folders below {}; check data.root and data.category", test.string()));
  }
  for (const auto& image : image_files_if_any(class_folder / "train" / "good")) {
    Sample sample;
    sample.id = "train_good_" + image.stem().string();
    sample.image = image;
    sample.type = "good";
    sample.mask_source = MaskSource::all_clear;
    listing.auxiliary.push_back(std::move(sample));
  }
  return listing;
}

}  // namespace nbs::data
