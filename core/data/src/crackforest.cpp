// SPDX-License-Identifier: Apache-2.0
#include <system_error>

#include <fmt/format.h>

#include "nbs/data/sample.h"
#include "nbs/error.h"

#include "files.h"

namespace nbs::data {

// CrackForest as published (Shi et al. 2016): image/NNN.jpg, groundTruth/NNN.mat.
Listing list_crackforest(const std::filesystem::path& root) {
  Listing listing;
  for (const auto& image : image_files(root / "image", "the CrackForest images")) {
    Sample sample;
    sample.id = image.stem().string();
    sample.image = image;
    sample.mask_source = MaskSource::file;
    sample.mask = root / "groundTruth" / (sample.id + ".mat");
    std::error_code ignored;
    if (std::filesystem::symlink_status(sample.mask, ignored).type() == std::filesystem::file_type::not_found) {
      throw Error(fmt::format("the image {} has no mask: {} does not exist; add it or remove the image", image.string(),
                              sample.mask.string()));
    }
    require_readable(sample.mask);
    listing.samples.push_back(std::move(sample));
  }
  return listing;
}

}  // namespace nbs::data
