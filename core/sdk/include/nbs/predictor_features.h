// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "nbs/context.h"
#include "nbs/error.h"
#include "nbs/predictor.h"

namespace nbs {

/// What a network that predicts may see.
enum class PredictorSees { profile, image };

/// Puts the input of a predictor's network together as its option `inputs` says: the maps of the loss profile, then the
/// three colors, which are moved to lie around 0.
class PredictorFeatures {
 public:
  /// Throws nbs::Error if `inputs` is empty.
  PredictorFeatures(const std::vector<PredictorSees>& inputs, const Context& context)
      : profile_(has(inputs, PredictorSees::profile)),
        image_(has(inputs, PredictorSees::image)),
        channels_((profile_ ? context.facts().profile_length : 0) + (image_ ? 3 : 0)) {
    if (inputs.empty()) throw Error("inputs is empty; name \"profile\", \"image\" or both");
  }

  /// Whether `inputs` names it.
  bool profile() const { return profile_; }
  /// Whether `inputs` names it.
  bool image() const { return image_; }
  /// Channels of what of() returns: T, 3 or T + 3.
  std::int64_t channels() const { return channels_; }

  /// [B, channels(), H, W].
  torch::Tensor of(const PredictorInput& input) const {
    if (!image_) return input.profile;
    const auto colors = input.image - 0.5;
    return profile_ ? torch::cat({input.profile, colors}, 1) : colors;
  }

 private:
  static bool has(const std::vector<PredictorSees>& inputs, PredictorSees wanted) {
    return std::find(inputs.begin(), inputs.end(), wanted) != inputs.end();
  }

  bool profile_;
  bool image_;
  std::int64_t channels_;
};

}  // namespace nbs
