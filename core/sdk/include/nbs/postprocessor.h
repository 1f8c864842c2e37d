// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/component.h"

namespace nbs {

/// Refines probability maps (paper, 3.3).
class Postprocessor : public Component {
 public:
  /// What the host takes it for.
  static constexpr Kind kKind = Kind::postprocessor;

  /// New probabilities [N, H, W] in [0, 1] from probabilities [N, H, W] in [0, 1] and images [N, 3,
  /// H, W] in [0, 1], contiguous. Image by image: the result of one must not depend on the others
  /// or on the number of threads. The input is not written to.
  virtual torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) = 0;
};

}  // namespace nbs
