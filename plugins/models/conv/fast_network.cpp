// SPDX-License-Identifier: Apache-2.0
#include "fast_network.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>

#include "nbs/pack_layer.h"

namespace nbs::conv {

namespace {

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

// Rows (or columns) of the kernel through which the even and the odd rows of an upsampled map see the map.
constexpr std::int64_t kTaps[2][2] = {{3, 1}, {2, 0}};

// On the CPU, [inputs][4][4][outputs].
torch::Tensor channels_last(const torch::Tensor& weight) {
  return weight.detach().to(torch::kCPU).contiguous(torch::MemoryFormat::ChannelsLast);
}

// Where the weights of all outputs lie for a kind of pixel and number i of [2][2][inputs].
const float* upsampling_row(const torch::Tensor& weight, std::int64_t kind, std::int64_t i) {
  const std::int64_t inputs = weight.size(0);
  const std::int64_t tap = i / inputs;
  const auto y = kTaps[kind / 2][tap / 2];
  const auto x = kTaps[kind % 2][tap % 2];
  return weight.data_ptr<float>() + ((i % inputs * 4 + y) * 4 + x) * weight.size(1);
}

}  // namespace

void pack_upsampling(const torch::Tensor& weight, const float* biases, std::array<PackedConvolution, 4>& kinds) {
  const auto from = channels_last(weight);
  for (std::int64_t kind = 0; kind < 4; ++kind) {
    kinds[static_cast<std::size_t>(kind)].pack_rows([&](std::int64_t i) { return upsampling_row(from, kind, i); },
                                                    biases);
  }
}

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
  const auto levels = static_cast<std::int64_t>(encoder_.size());
  at::parallel_for(0, levels + 1, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (i < levels) {
        update_level(network, static_cast<std::size_t>(i));
        continue;
      }
      pack_layer(network.squeeze()->weight, network.squeeze()->bias, squeeze_);
      pack_layer(network.spread()->weight, network.spread()->bias, spread_);
    }
  });
}

// Level i of the encoder, counted from the outermost, and of the decoder, counted from the innermost.
void FastNetwork::update_level(const NetworkImpl& network, std::size_t i) {
  torch::NoGradGuard no_grad;
  const auto& layer = network.encoder()[i];
  pack_layer(layer->weight.permute({0, 2, 3, 1}), layer->bias, encoder_[i]);
  const auto& up = network.decoder()[i];
  const auto shifts = up->bias.detach().to(torch::kCPU).repeat({4});
  const auto* const biases = shifts.data_ptr<float>();
  if (i < decoder_.size()) return pack_upsampling(up->weight, biases, decoder_[i]);
  // Three colors of four kinds.
  const auto from = channels_last(up->weight);
  std::array<float, 12> row;
  outermost_.pack_rows(
      [&](std::int64_t tap) {
        for (std::int64_t kind = 0; kind < 4; ++kind)
          std::copy_n(upsampling_row(from, kind, tap), 3, row.data() + 3 * kind);
        return row.data();
      },
      biases);
}

FastNetwork::Workspace FastNetwork::make_workspace() const {
  Workspace workspace;
  for (std::size_t l = 0; l < maps_.size(); ++l) {
    const auto& map = maps_[l];
    const auto padded = static_cast<std::size_t>(map.numbers());
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

void FastNetwork::reconstruct(const float* patch, Workspace& workspace) const {
  encode(patch, workspace);
  decode(workspace);
}

void FastNetwork::reconstruction_row(const Workspace& workspace, std::int64_t y, float* row) const {
  interleave_row(workspace.kinds.data(), maps_.front().side / 2, 3, y, row);
}

void FastNetwork::pixel_loss(const float* patch, Workspace& workspace, float* loss) const {
  reconstruct(patch, workspace);
  const auto& first = maps_.front();
  auto& row = workspace.inner;  // no longer needed
  row.resize(std::max<std::size_t>(row.size(), static_cast<std::size_t>(first.side * 3)));
  for (std::int64_t y = 0; y < first.side; ++y) {
    reconstruction_row(workspace, y, row.data());
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
