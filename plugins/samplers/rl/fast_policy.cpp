// SPDX-License-Identifier: Apache-2.0
#include "fast_policy.h"

#include <algorithm>

#include "nbs/pack_layer.h"

namespace nbs::rl {

FastPolicy::FastPolicy(const PolicyImpl& policy)
    : window_(policy.window()), convolutions_(policy.convolutions().size()) {
  std::int64_t side = window_;
  std::int64_t channels = kStateChannels;
  for (const auto& convolution : policy.convolutions()) {
    side = (side - 1) / 2 + 1;
    const std::int64_t outputs = convolution->options.out_channels();
    layers_.emplace_back(PackedConvolution::Shape{channels, outputs, 3, 2, side});
    channels = outputs;
  }
  for (const auto& dense : {policy.hidden(), policy.head()}) {
    layers_.emplace_back(
        PackedConvolution::Shape{dense->options.in_features(), dense->options.out_features(), 1, 1, 1});
  }
  update(policy);
}

void FastPolicy::update(const PolicyImpl& policy) {
  for (std::size_t i = 0; i < convolutions_; ++i) {
    const auto& convolution = policy.convolutions()[i];
    pack_layer(convolution->weight.permute({0, 2, 3, 1}), convolution->bias, layers_[i]);
  }
  pack_layer(policy.hidden()->weight, policy.hidden()->bias, layers_[convolutions_]);
  pack_layer(policy.head()->weight, policy.head()->bias, layers_[convolutions_ + 1]);
}

FastPolicy::Workspace FastPolicy::make_workspace() const {
  Workspace workspace;
  std::int64_t side = window_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& shape = layers_[i].shape();
    const std::int64_t padded = i < convolutions_ ? side + 2 : 1;
    workspace.maps.emplace_back(static_cast<std::size_t>(padded * padded * shape.inputs), 0.0F);
    side = shape.side;
  }
  return workspace;
}

void FastPolicy::logits(const float* state, Workspace& workspace, float* logits) const {
  // Into the middle of the first map; the border stays zero.
  const std::int64_t row = window_ * kStateChannels;
  const std::int64_t border = convolutions_ > 0 ? 1 : 0;
  const std::int64_t padded_row = (window_ + 2 * border) * kStateChannels;
  float* const middle = workspace.maps.front().data() + border * (padded_row + kStateChannels);
  for (std::int64_t y = 0; y < window_; ++y)
    std::copy_n(state + y * row, row, middle + y * padded_row);

  std::int64_t in_side = window_ + 2;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& shape = layers_[i].shape();
    const bool head = i + 1 == layers_.size();
    const bool into_convolution = i + 1 < convolutions_;
    // The next layer's map has a border if it is a convolution; a dense layer reads plain rows.
    const std::int64_t out_side = into_convolution ? shape.side + 2 : shape.side;
    float* const out =
        head ? logits : workspace.maps[i + 1].data() + (into_convolution ? (out_side + 1) * shape.outputs : 0);
    layers_[i].run(workspace.maps[i].data(), i < convolutions_ ? in_side : 1, head ? 1.0F : 0.0F, out,
                   out_side * shape.outputs, shape.outputs);
    in_side = out_side;
  }
}

}  // namespace nbs::rl
