// SPDX-License-Identifier: Apache-2.0
#include "fast_network.h"

#include <algorithm>
#include <cstring>

#include "nbs/pack_layer.h"

namespace nbs::conv {

namespace {

constexpr float kSlope = 0.2F;  // of LeakyReLU

// Copies a map without a border, `row` numbers a row, into the middle of one with a border.
void copy_rows(const float* from, std::int64_t rows, std::int64_t row, float* middle, std::int64_t padded_row) {
  for (std::int64_t y = 0; y < rows; ++y)
    std::memcpy(middle + y * padded_row, from + y * row, static_cast<std::size_t>(row) * sizeof(float));
}

// Row `y` of an upsampled map from the four kinds of its pixels, [side + 1][side + 1][4][channels].
void interleave_row(const float* kinds, std::int64_t side, std::int64_t channels, std::int64_t y, float* row) {
  const std::int64_t i = y / 2 + y % 2;
  const float* from = kinds + (i * (side + 1) * 4 + 2 * (y % 2)) * channels;
  for (std::int64_t x = 0; x < side; ++x, from += 4 * channels, row += 2 * channels) {
    std::copy_n(from, channels, row);
    std::copy_n(from + 5 * channels, channels, row + channels);
  }
}

}  // namespace

FastNetwork::FastNetwork(const NetworkImpl& network) : shortcut_(network.shortcuts()) {
  const auto levels = network.encoder().size();
  std::int64_t side = network.inner_size() << levels;
  maps_.push_back({side, 3});
  for (const auto& layer : network.encoder()) {
    side /= 2;
    const auto outputs = layer->options.out_channels();
    encoder_.emplace_back(PackedConvolution::Shape{maps_.back().channels, outputs, 4, 2, side});
    maps_.push_back({side, outputs});
  }
  const auto inner = network.squeeze()->options.in_features();
  const auto code = network.squeeze()->options.out_features();
  squeeze_ = PackedConvolution({inner, code, 1, 1, 1});
  spread_ = PackedConvolution({code, inner, 1, 1, 1});
  for (std::size_t level = levels; level > 1; --level) {
    decoder_.emplace_back();
    for (auto& kind : decoder_.back())
      kind = PackedConvolution({maps_[level].channels, maps_[level - 1].channels, 2, 1, maps_[level].side});
  }
  outermost_ = PackedConvolution({maps_[1].channels, 4 * 3, 2, 1, maps_[1].side + 1});
  update(network);
}

void FastNetwork::update(const NetworkImpl& network) {
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < encoder_.size(); ++i) {
    const auto& layer = network.encoder()[i];
    pack_layer(layer->weight.permute({0, 2, 3, 1}), layer->bias, encoder_[i]);
    const auto& up = network.decoder()[i];
    const auto kernel = upsampling_kernel(up->weight).permute({0, 2, 3, 1});
    if (i == decoder_.size()) {
      pack_layer(kernel, up->bias.repeat({4}), outermost_);
      continue;
    }
    const auto kinds = kernel.chunk(4);
    for (std::size_t kind = 0; kind < 4; ++kind)
      pack_layer(kinds[kind], up->bias, decoder_[i][kind]);
  }
  pack_layer(network.squeeze()->weight, network.squeeze()->bias, squeeze_);
  pack_layer(network.spread()->weight, network.spread()->bias, spread_);
}

FastNetwork::Workspace FastNetwork::make_workspace() const {
  Workspace workspace;
  for (std::size_t l = 0; l < maps_.size(); ++l) {
    const auto& map = maps_[l];
    const auto padded = static_cast<std::size_t>((map.side + 2) * map.row());
    workspace.encoded.emplace_back(padded, 0.0F);
    workspace.decoded.emplace_back(l > 0 ? padded : 0, 0.0F);
  }
  workspace.inner.resize(static_cast<std::size_t>(squeeze_.shape().inputs));
  workspace.code.resize(static_cast<std::size_t>(squeeze_.shape().outputs));
  const auto& last = outermost_.shape();
  workspace.kinds.resize(static_cast<std::size_t>(last.side * last.side * last.outputs));
  return workspace;
}

// From the patch to the code.
void FastNetwork::encode(const float* patch, Workspace& workspace) const {
  const auto& first = maps_.front();
  const std::int64_t pixels = first.side * first.side;
  for (std::int64_t y = 0; y < first.side; ++y) {
    float* to = workspace.encoded[0].data() + first.middle() + y * first.row();
    const float* from = patch + y * first.side;
    for (std::int64_t x = 0; x < first.side; ++x, to += 3) {
      for (std::int64_t c = 0; c < 3; ++c)
        to[c] = from[c * pixels + x] - 0.5F;  // around zero
    }
  }
  for (std::size_t l = 0; l < encoder_.size(); ++l) {
    const auto& out = maps_[l + 1];
    encoder_[l].run(workspace.encoded[l].data(), maps_[l].side + 2, kSlope,
                    workspace.encoded[l + 1].data() + out.middle(), out.row(), out.channels);
  }
  const auto& inner = maps_.back();
  const std::int64_t row = inner.side * inner.channels;
  for (std::int64_t y = 0; y < inner.side; ++y)
    std::copy_n(workspace.encoded.back().data() + inner.middle() + y * inner.row(), row,
                workspace.inner.data() + y * row);
  squeeze_.run(workspace.inner.data(), 1, 1.0F, workspace.code.data(), 0, 0);
}

void FastNetwork::add_shortcut(std::size_t level, Workspace& workspace) const {
  if (!shortcut_[level]) return;
  // Borders are zero in both, and stay so.
  auto& decoded = workspace.decoded[level];
  const auto& encoded = workspace.encoded[level];
  for (std::size_t i = 0; i < decoded.size(); ++i)
    decoded[i] += encoded[i];
}

// From the code to the kinds of the reconstruction's pixels.
void FastNetwork::decode(Workspace& workspace) const {
  spread_.run(workspace.code.data(), 1, kSlope, workspace.inner.data(), 0, 0);
  const auto& inner = maps_.back();
  copy_rows(workspace.inner.data(), inner.side, inner.side * inner.channels,
            workspace.decoded.back().data() + inner.middle(), inner.row());
  for (std::size_t level = maps_.size() - 1; level > 1; --level) {
    add_shortcut(level, workspace);
    const auto& map = maps_[level];
    const auto& next = maps_[level - 1];
    const auto& kinds = decoder_[maps_.size() - 1 - level];
    for (std::int64_t y = 0; y < 2; ++y) {
      for (std::int64_t x = 0; x < 2; ++x) {
        kinds[static_cast<std::size_t>(2 * y + x)].run(
            workspace.decoded[level].data() + y * map.row() + x * map.channels, map.side + 2, kSlope,
            workspace.decoded[level - 1].data() + next.middle() + y * next.row() + x * next.channels, 2 * next.row(),
            2 * next.channels);
      }
    }
  }
  add_shortcut(1, workspace);
  const auto& last = outermost_.shape();
  outermost_.run(workspace.decoded[1].data(), maps_[1].side + 2, 1.0F, workspace.kinds.data(), last.side * last.outputs,
                 last.outputs);
}

void FastNetwork::pixel_loss(const float* patch, Workspace& workspace, float* loss) const {
  encode(patch, workspace);
  decode(workspace);
  const auto& first = maps_.front();
  auto& row = workspace.inner;  // no longer needed
  row.resize(std::max<std::size_t>(row.size(), static_cast<std::size_t>(first.side * 3)));
  for (std::int64_t y = 0; y < first.side; ++y) {
    interleave_row(workspace.kinds.data(), first.side / 2, 3, y, row.data());
    const float* const wanted = workspace.encoded[0].data() + first.middle() + y * first.row();
    for (std::int64_t x = 0; x < first.side; ++x) {
      float sum = 0;
      for (std::int64_t c = 0; c < 3; ++c) {
        const float error = row[static_cast<std::size_t>(3 * x + c)] - wanted[3 * x + c];
        sum += error * error;
      }
      loss[y * first.side + x] = sum / 3;
    }
  }
}

}  // namespace nbs::conv
