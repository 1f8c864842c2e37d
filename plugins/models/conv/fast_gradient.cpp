// SPDX-License-Identifier: Apache-2.0
#include "fast_gradient.h"

#include <algorithm>
#include <string>

#include <ATen/Parallel.h>

#include "nbs/error.h"
#include "nbs/matrix_product.h"
#include "nbs/pack_layer.h"
#include "nbs/state.h"
#include "nbs/trainable_network.h"

namespace nbs::conv {

namespace {

// out[i][k] += sum over r of left[r][i] right[r][k].
struct AddProduct {
  const float* left;
  std::int64_t rows;
  const float* right;
  std::int64_t columns;
  std::int64_t sums;
  float* out;
};

void add_product(const AddProduct& product) {
  multiply({product.left, 1, product.rows, product.right, product.columns, product.out, product.columns, product.rows,
            product.sums, product.columns, true});
}

// Adds the sum over `count` rows to `sum`, `columns` numbers each.
void add_rows(const float* rows, std::int64_t count, std::int64_t columns, float* sum) {
  for (std::int64_t r = 0; r < count; ++r, rows += columns) {
    for (std::int64_t k = 0; k < columns; ++k)
      sum[k] += rows[k];
  }
}

// Adds the sum of each channel. Row by row first, as a pixel has too few numbers for a vector; `row`: for that.
void add_channels(const float* bordered, const BorderedMap& map, std::vector<float>& row, std::vector<float>& sum) {
  const std::int64_t numbers = map.side * map.channels;
  row.assign(static_cast<std::size_t>(numbers), 0.0F);
  for (std::int64_t y = 0; y < map.side; ++y)
    add_rows(bordered + map.middle() + y * map.row(), 1, numbers, row.data());
  add_rows(row.data(), map.side, map.channels, sum.data());
}

// Turns a row of the reconstruction into its error times `scale`; returns the sum of the errors' squares, added up in
// eight sums, as one would have to wait for each addition.
float to_errors(const float* wanted, std::int64_t numbers, float scale, float* row) {
  constexpr std::int64_t kSums = 8;
  float sums[kSums] = {};
  std::int64_t i = 0;
  for (; i + kSums <= numbers; i += kSums) {
    for (std::int64_t k = 0; k < kSums; ++k) {
      const float error = row[i + k] - wanted[i + k];
      sums[k] += error * error;
      row[i + k] = error * scale;
    }
  }
  for (; i < numbers; ++i) {
    const float error = row[i] - wanted[i];
    sums[0] += error * error;
    row[i] = error * scale;
  }
  float sum = 0;
  for (const float part : sums)
    sum += part;
  return sum;
}

void remove_border(const float* bordered, const BorderedMap& map, float* plain) {
  const std::int64_t row = map.side * map.channels;
  for (std::int64_t y = 0; y < map.side; ++y)
    std::copy_n(bordered + map.middle() + y * map.row(), row, plain + y * row);
}

void add_border(const float* plain, const BorderedMap& map, float* bordered) {
  const std::int64_t row = map.side * map.channels;
  for (std::int64_t y = 0; y < map.side; ++y)
    std::copy_n(plain + y * row, row, bordered + map.middle() + y * map.row());
}

// Gradients of what LeakyReLU gave to those of what it was given; borders are zero, and stay so.
void through_leaky_relu(const std::vector<float>& given, std::vector<float>& gradient) {
  // Multiplied in any case: a multiplication that only some numbers need keeps the compiler from making vectors.
  for (std::size_t i = 0; i < gradient.size(); ++i)
    gradient[i] *= given[i] > 0 ? 1.0F : kSlope;
}

// What a 4x4 kernel of stride 2 sees of a map, [side / 2 x side / 2][4][4][channels].
void look_at(const float* bordered, const BorderedMap& map, float* seen) {
  const std::int64_t run = 4 * map.channels;
  for (std::int64_t y = 0; y < map.side; y += 2) {
    for (std::int64_t x = 0; x < map.side; x += 2) {
      for (std::int64_t row = 0; row < 4; ++row, seen += run)
        std::copy_n(bordered + (y + row) * map.row() + x * map.channels, run, seen);
    }
  }
}

}  // namespace

FastGradient::FastGradient(const NetworkImpl& network, const FastNetwork& forward)
    : network_(network), forward_(forward), levels_(network.encoder().size()) {
  const auto& maps = forward_.maps();
  for (std::size_t l = 0; l < levels_; ++l) {
    const auto& encoder = network.encoder()[l];
    const auto& decoder = network.decoder()[levels_ - 1 - l];
    for (const auto& parameter : {encoder->weight, encoder->bias, decoder->weight, decoder->bias})
      parameters_.push_back(parameter);
    const auto& larger = maps[l];
    const auto& smaller = maps[l + 1];
    down_.emplace_back(PackedConvolution::Shape{larger.channels, smaller.channels, 4, 2, smaller.side});
    up_.emplace_back();
    for (auto& kind : up_.back())
      kind = PackedConvolution({smaller.channels, larger.channels, 2, 1, smaller.side});
  }
  for (const auto& layer : {network.squeeze(), network.spread()}) {
    parameters_.push_back(layer->weight);
    parameters_.push_back(layer->bias);
  }
  const auto inner = network.squeeze()->options.in_features();
  const auto code = network.squeeze()->options.out_features();
  to_code_ = PackedConvolution({inner, code, 1, 1, 1});
  from_code_ = PackedConvolution({code, inner, 1, 1, 1});
}

bool FastGradient::fits() const {
  const auto& shortcuts = network_.shortcuts();
  if (std::any_of(shortcuts.begin(), shortcuts.end(), [](bool there) { return there; })) return false;
  return std::all_of(parameters_.begin(), parameters_.end(), is_plain_parameter);
}

// Packs the network's parameters.
void FastGradient::update() {
  at::parallel_for(0, static_cast<std::int64_t>(levels_) + 1, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto l = static_cast<std::size_t>(begin); l < static_cast<std::size_t>(end); ++l) {
      if (l == levels_) {
        const auto* const squeeze = network_.squeeze()->weight.data_ptr<float>();
        const auto* const spread = network_.spread()->weight.data_ptr<float>();
        const auto code = network_.squeeze()->options.out_features();
        const auto inner = network_.squeeze()->options.in_features();
        const std::vector<float> zeros(static_cast<std::size_t>(std::max(code, inner)));
        to_code_.pack_rows([&](std::int64_t i) { return spread + i * code; }, zeros.data());
        from_code_.pack_rows([&](std::int64_t i) { return squeeze + i * inner; }, zeros.data());
        continue;
      }
      const auto& maps = forward_.maps();
      const std::vector<float> zeros(static_cast<std::size_t>(std::max(maps[l].channels, maps[l + 1].channels)));
      down_[l].pack(parameters_[decoder_at(l)].data_ptr<float>(), zeros.data());
      if (l > 0) pack_upsampling(parameters_[encoder_at(l)], zeros.data(), up_[l]);
    }
  });
}

FastGradient::Share FastGradient::make_share() const {
  Share share;
  share.forward = forward_.make_workspace();
  std::int64_t most_small = 0;
  std::int64_t most_seen = 0;
  const auto& maps = forward_.maps();
  for (std::size_t l = 0; l < maps.size(); ++l) {
    share.gradient.emplace_back(static_cast<std::size_t>(maps[l].numbers()), 0.0F);
    if (l == 0) continue;
    const std::int64_t pixels = maps[l].side * maps[l].side;
    most_small = std::max(most_small, pixels * maps[l].channels);
    most_seen = std::max(most_seen, pixels * 16 * maps[l - 1].channels);
  }
  share.small.resize(static_cast<std::size_t>(most_small));
  share.seen.resize(static_cast<std::size_t>(most_seen));
  for (const auto& parameter : parameters_)
    share.sums.emplace_back(static_cast<std::size_t>(parameter.numel()));
  return share;
}

double FastGradient::run(const torch::Tensor& patches) {
  torch::NoGradGuard no_grad;
  const auto side = forward_.maps().front().side;
  if (patches.dim() != 4 || patches.size(0) == 0 || patches.sizes().slice(1) != at::IntArrayRef({3, side, side})) {
    throw Error("patches [B, 3, " + std::to_string(side) + ", " + std::to_string(side) + "] are wanted, but got " +
                State::shape_text(patches.sizes()));
  }
  update();
  const auto input = patches.contiguous();
  const auto count = input.size(0);
  const std::int64_t numbers = input.size(1) * input.size(2) * input.size(3);
  const std::int64_t threads = std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), count));
  const std::int64_t each = (count + threads - 1) / threads;
  while (static_cast<std::int64_t>(shares_.size()) < threads)
    shares_.push_back(make_share());
  const auto total = static_cast<double>(count * numbers);
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t first = std::min(count, t * each);
      add(input.data_ptr<float>() + first * numbers, std::min(count, first + each) - first,
          static_cast<float>(2 / total), shares_[static_cast<std::size_t>(t)]);
    }
  });
  double squares = 0;
  for (std::int64_t t = 0; t < threads; ++t)
    squares += shares_[static_cast<std::size_t>(t)].squares;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    auto* const gradient = parameters_[k].grad().data_ptr<float>();
    const auto size = static_cast<std::size_t>(parameters_[k].numel());
    std::copy_n(shares_[0].sums[k].data(), size, gradient);
    for (std::int64_t t = 1; t < threads; ++t) {
      const auto& more = shares_[static_cast<std::size_t>(t)].sums[k];
      for (std::size_t i = 0; i < size; ++i)
        gradient[i] += more[i];
    }
  }
  return squares / total;
}

// `scale`: what an error is multiplied by in the gradient.
void FastGradient::add(const float* patches, std::int64_t count, float scale, Share& share) const {
  share.squares = 0;
  for (auto& sum : share.sums)
    std::fill(sum.begin(), sum.end(), 0.0F);
  const auto inner = static_cast<std::size_t>(from_code_.shape().outputs * count);
  const auto code = static_cast<std::size_t>(to_code_.shape().outputs * count);
  share.encoded.resize(inner);
  share.decoded_gradient.resize(inner);
  share.code.resize(code);
  share.code_gradient.resize(code);
  const auto& patch = forward_.maps().front();
  for (std::int64_t b = 0; b < count; ++b) {
    through_decoder(patches + b * 3 * patch.side * patch.side, scale, share);
    through_code(b, share);
    through_encoder(share);
  }
  add_dense(count, share);
}

// From the error of the reconstruction to the gradient of the decoder's innermost map before its LeakyReLU.
void FastGradient::through_decoder(const float* patch, float scale, Share& share) const {
  auto& forward = share.forward;
  forward_.reconstruct(patch, forward);
  const auto& maps = forward_.maps();
  const auto& first = maps.front();
  double squares = 0;
  for (std::int64_t y = 0; y < first.side; ++y) {
    float* const row = share.gradient[0].data() + first.middle() + y * first.row();
    forward_.reconstruction_row(forward, y, row);
    squares += to_errors(forward.encoded[0].data() + first.middle() + y * first.row(), first.side * 3, scale, row);
  }
  share.squares += squares;
  for (std::size_t l = 0; l < levels_; ++l) {
    const auto& smaller = maps[l + 1];
    auto& to = share.gradient[l + 1];
    add_convolution(forward.decoded[l + 1].data(), share.gradient[l].data(), l, share.sums[decoder_at(l)], share);
    add_channels(share.gradient[l].data(), maps[l], share.row, share.sums[decoder_at(l) + 1]);
    down_[l].run(share.gradient[l].data(), maps[l].side + 2, 1.0F, to.data() + smaller.middle(), smaller.row(),
                 smaller.channels);
    through_leaky_relu(forward.decoded[l + 1], to);
  }
}

// From there to the gradient of the encoder's innermost map before its LeakyReLU, by way of the code.
void FastGradient::through_code(std::int64_t patch, Share& share) const {
  const auto& inner = forward_.maps().back();
  const auto code = to_code_.shape().outputs;
  const auto numbers = from_code_.shape().outputs;
  auto& innermost = share.gradient.back();
  float* const decoded_gradient = share.decoded_gradient.data() + patch * numbers;
  float* const code_gradient = share.code_gradient.data() + patch * code;
  remove_border(innermost.data(), inner, decoded_gradient);
  to_code_.run(decoded_gradient, 1, 1.0F, code_gradient, 0, 0);
  from_code_.run(code_gradient, 1, 1.0F, share.small.data(), 0, 0);
  add_border(share.small.data(), inner, innermost.data());
  through_leaky_relu(share.forward.encoded.back(), innermost);
  remove_border(share.forward.encoded.back().data(), inner, share.encoded.data() + patch * numbers);
  std::copy_n(share.forward.code.data(), code, share.code.data() + patch * code);
}

// From there to the patch.
void FastGradient::through_encoder(Share& share) const {
  const auto& maps = forward_.maps();
  for (std::size_t l = levels_; l-- > 0;) {
    const auto& from = share.gradient[l + 1];
    const auto& smaller = maps[l + 1];
    const auto& larger = maps[l];
    add_convolution(from.data(), share.forward.encoded[l].data(), l, share.sums[encoder_at(l)], share);
    add_channels(from.data(), smaller, share.row, share.sums[encoder_at(l) + 1]);
    if (l == 0) break;
    auto& to = share.gradient[l];
    for (std::int64_t y = 0; y < 2; ++y) {
      for (std::int64_t x = 0; x < 2; ++x) {
        up_[l][static_cast<std::size_t>(2 * y + x)].run(
            from.data() + y * smaller.row() + x * smaller.channels, smaller.side + 2, 1.0F,
            to.data() + larger.middle() + y * larger.row() + x * larger.channels, 2 * larger.row(),
            2 * larger.channels);
      }
    }
    through_leaky_relu(share.forward.encoded[l], to);
  }
}

// All patches of a share at once: for one, each weight of a dense layer is used for one product only.
void FastGradient::add_dense(std::int64_t count, Share& share) const {
  const auto code = to_code_.shape().outputs;
  const auto inner = from_code_.shape().outputs;
  add_product({share.code_gradient.data(), code, share.encoded.data(), inner, count, share.sums[squeeze_at()].data()});
  add_rows(share.code_gradient.data(), count, code, share.sums[squeeze_at() + 1].data());
  add_product({share.decoded_gradient.data(), inner, share.code.data(), code, count, share.sums[spread_at()].data()});
  add_rows(share.decoded_gradient.data(), count, inner, share.sums[spread_at() + 1].data());
}

// The gradient of the weights between a map and the next smaller one, of which one is what the layer was given and the
// other the gradient of what it gave.
void FastGradient::add_convolution(const float* smaller, const float* larger, std::size_t level,
                                   std::vector<float>& sum, Share& share) const {
  const auto& large_map = forward_.maps()[level];
  const auto& small_map = forward_.maps()[level + 1];
  remove_border(smaller, small_map, share.small.data());
  look_at(larger, large_map, share.seen.data());
  add_product({share.small.data(), small_map.channels, share.seen.data(), 16 * large_map.channels,
               small_map.side * small_map.side, sum.data()});
}

}  // namespace nbs::conv
