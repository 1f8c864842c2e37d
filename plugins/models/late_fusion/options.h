// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/options.h"

#include "dilated/options.h"
#include "unet/options.h"

namespace nbs::late_fusion {

struct Options {
  double image_share = 0.5;
  dilated::Options profile;
  unet::Options image;

  static void declare(Schema<Options>& s) {
    s.add("image_share", &Options::image_share)
        .range(0, 1)
        .doc("Weight of the U-Net's logits in the mean of both; the dilated convolutions have the rest.");
    // Those of `dilated` by their own names, so that files with settings for a kind of surface fit both.
    s.add_part("", &Options::profile);
    s.add_part("image_", &Options::image);
  }
};

}  // namespace nbs::late_fusion
