// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <utility>

#include <fmt/format.h>

#include "nbs/data/sample.h"
#include "nbs/error.h"

#include "files.h"

namespace nbs::data {

namespace {

// NAME.* or NAME_mask.*, which must not be two masks of one image. It is another image's own if there is an image
// NAME_mask.
std::filesystem::path mask_of(const std::string& id, const std::vector<std::filesystem::path>& masks,
                              const std::vector<std::filesystem::path>& images) {
  auto mask = mask_with_stem(masks, id);
  auto other = mask_with_stem(masks, id, "_mask");
  if (mask.empty()) return other;
  if (!other.empty() && with_stem(images, id, "_mask").empty()) {
    throw Error(
        fmt::format("{} and {} are both masks of the image {}, so it cannot be told which is meant; remove one "
                    "of them",
                    mask.string(), other.string(), id));
  }
  return mask;
}

// What is said of masks that no image has: one of them may be a mask with a slip in its name.
std::string remark_on_others(const std::vector<std::filesystem::path>& masks, const std::vector<Sample>& samples,
                             const std::filesystem::path& folder) {
  constexpr std::size_t kNamed = 5;
  std::set<std::filesystem::path> used;
  for (const auto& sample : samples)
    used.insert(sample.mask);
  std::string names;
  std::size_t others = 0;
  for (const auto& mask : masks) {
    if (used.count(mask) != 0) continue;
    if (others < kNamed) names += (others == 0 ? "" : ", ") + mask.filename().string();
    ++others;
  }
  if (others == 0) return "";
  return fmt::format("{} of the {} files in {} {} the mask of no image, so nothing is done with {}: {}{}", others,
                     masks.size(), folder.string(), others == 1 ? "is" : "are", others == 1 ? "it" : "them", names,
                     others > kNamed ? ", …" : "");
}

}  // namespace

// Plain folders: images/NAME.* and masks/NAME.* (or NAME_mask.*). Without a folder masks/ nothing can be scored; with
// it every image needs a mask, unless only some are marked and the pipeline says so.
Listing list_folder(const std::filesystem::path& root, bool partial_masks) {
  Listing listing;
  const bool with_masks = is_folder(root / "masks");
  const auto masks = with_masks ? image_files_if_any(root / "masks") : std::vector<std::filesystem::path>();
  const auto images = image_files(root / "images", "the images of the data set");
  for (const auto& image : images) {
    Sample sample;
    sample.id = image.stem().string();
    sample.image = image;
    if (with_masks) {
      sample.mask = mask_of(sample.id, masks, images);
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
  if (auto remark = remark_on_others(masks, listing.samples, root / "masks"); !remark.empty())
    listing.remarks.push_back(std::move(remark));
  return listing;
}

}  // namespace nbs::data
