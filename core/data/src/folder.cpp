// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/data/sample.h"
#include "nbs/error.h"

#include "files.h"

namespace nbs::data {

// Plain folders: images/NAME.* and masks/NAME.* (or NAME_mask.*). Without a folder masks/ nothing can be scored; with
// it every image needs a mask, unless only some are marked and the pipeline says so.
Listing list_folder(const std::filesystem::path& root, bool partial_masks) {
  Listing listing;
  const bool with_masks = std::filesystem::is_directory(root / "masks");
  const auto masks = image_files_if_any(root / "masks");
  for (const auto& image : image_files(root / "images", "the images of the data set")) {
    Sample sample;
    sample.id = image.stem().string();
    sample.image = image;
    if (with_masks) {
      sample.mask = with_stem(masks, sample.id);
      if (sample.mask.empty()) sample.mask = with_stem(masks, sample.id, "_mask");
      sample.mask_source = sample.mask.empty() ? MaskSource::none : MaskSource::file;
      if (sample.mask.empty() && !partial_masks) {
        throw Error(
            fmt::format("the image {} has no mask: there is no {}.* in {}; add it (all black for no anomaly), "
                        "remove the image, or set data.partial_masks = true if only some images are marked",
                        image.string(), sample.id, (root / "masks").string()));
      }
    }
    listing.samples.push_back(std::move(sample));
  }
  return listing;
}

}  // namespace nbs::data
