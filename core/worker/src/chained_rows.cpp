// SPDX-License-Identifier: Apache-2.0
#include "chained_rows.h"

#include <algorithm>
#include <utility>

#include "nbs/tensor.h"

namespace nbs::worker {

namespace {

constexpr std::int64_t kWhole = 2048;
constexpr std::int64_t kBlock = 512;
constexpr double kOverlap = 0.5;  // small blocks save memory, and so much of their neighbors hides where they end

data::ViewPlan blocks_of(data::PixelSize size) {
  data::DataOptions options;
  options.resize = data::Resize::tiles;
  options.image_size = std::max(size.height, size.width) <= kWhole ? kWhole : kBlock;
  options.tile_overlap = kOverlap;
  return {size, options};
}

// Maps [N, H, W] of one image.
torch::Tensor all_through(const ChainedRows::Chain& chain, torch::Tensor maps, const torch::Tensor& image) {
  const auto images = image.expand({maps.size(0), -1, -1, -1}).contiguous();
  for (const auto& link : chain)
    maps = link->apply(maps.contiguous(), images);
  return maps;
}

torch::Tensor through(const ChainedRows::Chain& chain, const torch::Tensor& probability, const torch::Tensor& image) {
  return all_through(chain, probability.unsqueeze(0), image)[0];
}

}  // namespace

ChainedRows::ChainedRows(Chain chain, data::PixelSize size, Colors colors)
    : chain_(std::move(chain)), colors_(std::move(colors)), blocks_(blocks_of(size)), stitched_(blocks_) {}

void ChainedRows::add(const torch::Tensor& rows) {
  rows_ = rows_.defined() ? torch::cat({rows_, rows}) : rows;
  while (next_ < blocks_.rows()) {
    const auto block = blocks_.view(next_ * blocks_.columns());
    if (first_ + rows_.size(0) < block.y + block.height) return;
    apply_to_row_of_blocks();
  }
}

void ChainedRows::apply_to_row_of_blocks() {
  for (std::int64_t column = 0; column < blocks_.columns(); ++column) {
    const auto block = blocks_.view(next_ * blocks_.columns() + column);
    auto whole = torch::zeros({blocks_.view_size(), blocks_.view_size()});
    whole.slice(0, 0, block.height).slice(1, 0, block.width).copy_(applied(block));
    stitched_.add(whole.data_ptr<float>());
  }
  ++next_;
  if (next_ == blocks_.rows()) return;
  const auto needed = blocks_.view(next_ * blocks_.columns()).y;
  rows_ = rows_.slice(0, needed - first_).clone();
  first_ = needed;
}

torch::Tensor ChainedRows::applied(const data::View& block) const {
  const auto probability =
      rows_.slice(0, block.y - first_, block.y - first_ + block.height).slice(1, block.x, block.x + block.width);
  return through(chain_, probability.contiguous(), colors_(block.y, block.x, block.height, block.width));
}

data::MapRows ChainedRows::take() {
  auto rows = stitched_.take();
  // Weights sum to one but for rounding.
  for (auto& value : rows.planes[0])
    value = std::clamp(value, 0.0F, 1.0F);
  return rows;
}

torch::Tensor postprocess(const ChainedRows::Chain& chain, const torch::Tensor& probability,
                          const torch::Tensor& image) {
  if (chain.empty()) return probability;
  const data::PixelSize size{probability.size(0), probability.size(1)};
  if (blocks_of(size).count() == 1) return through(chain, probability, image);
  ChainedRows rows(chain, size, [&](auto y, auto x, auto height, auto width) {
    return image.slice(1, y, y + height).slice(2, x, x + width);
  });
  rows.add(probability);
  auto done = rows.take();
  return torch::from_blob(done.planes[0].data(), {size.height, size.width}).clone();
}

torch::Tensor postprocess_all(const ChainedRows::Chain& chain, const torch::Tensor& probabilities,
                              const torch::Tensor& image) {
  // Each map comes with a copy of the colors, and a dense CRF takes about a hundred bytes a pixel for each thread.
  constexpr std::int64_t kPixelsTogether = std::int64_t{1} << 20;
  const std::int64_t pixels = probabilities.size(1) * probabilities.size(2);
  const std::int64_t together = std::max<std::int64_t>(1, kPixelsTogether / std::max<std::int64_t>(1, pixels));
  if (chain.empty()) return probabilities;
  std::vector<torch::Tensor> done;
  for (const auto& maps : probabilities.split(together)) {
    done.push_back(maps.size(0) == 1 ? postprocess(chain, maps[0], image).unsqueeze(0)
                                     : all_through(chain, maps, image));
  }
  return torch::cat(done);
}

}  // namespace nbs::worker
