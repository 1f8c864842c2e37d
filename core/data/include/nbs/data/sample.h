// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nbs/data/options.h"

namespace nbs::data {

/// Where a sample's mask comes from.
enum class MaskSource {
  none,       ///< there is none: the image can be masked, not scored
  all_clear,  ///< the layout says that nothing is anomalous
  file,       ///< an image file or .mat file
  generated   ///< made by the synthetic generator
};

/// One image of a data set, not yet read.
struct Sample {
  std::string id;               ///< unique within the data set, fit for a file name
  std::filesystem::path image;  ///< empty for generated images
  MaskSource mask_source = MaskSource::none;
  std::filesystem::path mask;
  std::string type;         ///< kind of defect, "good" for none; empty if the layout does not say
  std::int64_t index = -1;  ///< of a generated image
};

/// A data set as found on disk, ordered by id.
struct Listing {
  std::vector<Sample> samples;       ///< images to be labeled or scored
  std::vector<Sample> auxiliary;     ///< anomaly-free images that the layout keeps apart for training
  std::vector<std::string> remarks;  ///< sentences for the user: what was found and is not used
};

/// Lists the data set without reading pixels. Throws nbs::Error for a missing or empty folder, an image that has no
/// mask where the layout demands one, or two images that would get the same id.
Listing list_samples(const DataOptions& options);

// One reader a layout; list_samples() calls the one that options.format names.
Listing list_crackforest(const std::filesystem::path& root);
Listing list_mvtec(const std::filesystem::path& class_folder);
Listing list_nanotwice(const std::filesystem::path& root);
Listing list_folder(const std::filesystem::path& root, bool partial_masks);
Listing list_synthetic(const DataOptions& options);

}  // namespace nbs::data
