// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nbs/data/split.h"

namespace nbs::data {

/// Sentences for the user about masks of labeled images that are probably not what they should be: most of the image is
/// anomalous, or little is left of its anomalies at the size at which the image is looked at. Opens no other mask.
/// Throws nbs::Error as load_mask() does.
std::vector<std::string> remarks_on_masks(const Listing& listing, const Split& split, const DataOptions& options);

/// The same about labeled images that are nearly black, all of them, as numbers of 12 bits in files of 16 are. Those in
/// very large files are not looked at. Throws nbs::Error if one cannot be read.
std::vector<std::string> remarks_on_images(const Listing& listing, const Split& split);

}  // namespace nbs::data
