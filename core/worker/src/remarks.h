// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/base/print.h"
#include "nbs/data/remarks.h"

namespace nbs::worker {

/// Says what of a data set is probably not as it should be.
inline void say_remarks(const data::Listing& listing, const data::Split& split, const data::DataOptions& options) {
  for (const auto& remark : listing.remarks)
    say(remark);
  for (const auto& remark : data::remarks_on_images(listing, split))
    say(remark);
  for (const auto& remark : data::remarks_on_masks(listing, split, options))
    say(remark);
}

}  // namespace nbs::worker
