// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/data/sample.h"
#include "nbs/error.h"

#include "files.h"

namespace nbs::data {

// NanoTWICE (Carrera et al. 2016): Normal/*.tif, Anomalous/images/*.tif, Anomalous/gt/<stem>_gt.png.
Listing list_nanotwice(const std::filesystem::path& root) {
  Listing listing;
  const auto masks = image_files_if_any(root / "Anomalous" / "gt");
  for (const auto& image : image_files(root / "Anomalous" / "images", "the anomalous NanoTWICE images")) {
    Sample sample;
    sample.id = image.stem().string();
    sample.image = image;
    sample.mask_source = MaskSource::file;
    sample.mask = mask_with_stem(masks, sample.id, "_gt");
    if (sample.mask.empty()) {
      throw Error(fmt::format("the image {} has no mask: there is no {}_gt in {}; add it or remove the image",
                              image.string(), sample.id, (root / "Anomalous" / "gt").string()));
    }
    listing.samples.push_back(std::move(sample));
  }
  for (const auto& image : image_files_if_any(root / "Normal")) {
    Sample sample;
    sample.id = "normal_" + image.stem().string();
    sample.image = image;
    sample.type = "good";
    sample.mask_source = MaskSource::all_clear;
    listing.auxiliary.push_back(std::move(sample));
  }
  return listing;
}

}  // namespace nbs::data
