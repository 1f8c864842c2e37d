// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/sampling_density.h"

#include <algorithm>

#include <fmt/format.h>

namespace nbs::training {

namespace {

constexpr std::int64_t kMostCells = 32;
// More pictures of single images than anybody looks at only make the file long.
constexpr std::int64_t kMostShown = 12;

constexpr const char* kPhaseNames[] = {"cloning", "after_cloning"};

}  // namespace

SamplingDensity::SamplingDensity(std::int64_t image_size, std::int64_t patch_size, std::int64_t labeled)
    : patch_size_(patch_size) {
  const auto side = std::min(kMostCells, image_size);
  for (std::int64_t i = 0; i <= side; ++i)
    edges_.push_back(i * image_size / side);
  for (auto& phase : phases_) {
    phase.images.resize(static_cast<std::size_t>(1 + std::min(labeled, kMostShown)));
    for (auto& counts : phase.images)
      counts.pixels.resize(static_cast<std::size_t>(side * side), 0);
  }
}

void SamplingDensity::begin(record::SamplingPhase phase) {
  current_ = static_cast<std::size_t>(phase);
  ++phases_[current_].iterations;
}

void SamplingDensity::add(const std::vector<Patch>& patches) {
  for (const auto& patch : patches)
    count(phases_[current_].images[0], patch);
}

void SamplingDensity::add_labeled(const std::vector<Patch>& patches) {
  auto& images = phases_[current_].images;
  for (const auto& patch : patches) {
    const auto image = static_cast<std::size_t>(patch.image) + 1;
    if (image < images.size()) count(images[image], patch);
  }
}

void SamplingDensity::count(Counts& counts, const Patch& patch) const {
  ++counts.patches;
  const auto side = edges_.size() - 1;
  // How many pixels of a row or column of cells the patch covers.
  const auto covered = [&](std::size_t cell, std::int64_t begin) {
    return std::max<std::int64_t>(0, std::min(edges_[cell + 1], begin + patch_size_) - std::max(edges_[cell], begin));
  };
  const auto first_at = [&](std::int64_t begin) {
    const auto above = std::upper_bound(edges_.begin(), edges_.end(), begin);
    return static_cast<std::size_t>(above - edges_.begin()) - 1;
  };
  for (auto row = first_at(patch.y); row < side && edges_[row] < patch.y + patch_size_; ++row) {
    const auto height = covered(row, patch.y);
    for (auto column = first_at(patch.x); column < side && edges_[column] < patch.x + patch_size_; ++column)
      counts.pixels[row * side + column] += height * covered(column, patch.x);
  }
}

std::vector<double> SamplingDensity::cells_of(const Counts& counts) const {
  const auto side = edges_.size() - 1;
  std::vector<double> cells(counts.pixels.size(), 0);
  if (counts.patches == 0) return cells;
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column < side; ++column) {
      const auto pixels = (edges_[row + 1] - edges_[row]) * (edges_[column + 1] - edges_[column]);
      cells[row * side + column] = static_cast<double>(counts.pixels[row * side + column]) /
                                   (static_cast<double>(pixels) * static_cast<double>(counts.patches));
    }
  }
  return cells;
}

record::SampledPlaces SamplingDensity::places(bool learns, const std::vector<std::string>& ids) const {
  record::SampledPlaces places;
  places.side = static_cast<std::int64_t>(edges_.size()) - 1;
  places.learns = learns;
  for (const auto name : {record::SamplingPhase::cloning, record::SamplingPhase::after_cloning}) {
    const auto& phase = phases_[static_cast<std::size_t>(name)];
    if (phase.iterations == 0) continue;
    auto& own = places.phases.emplace_back();
    own.phase = name;
    own.iterations = phase.iterations;
    own.all = {{}, phase.images[0].patches, cells_of(phase.images[0])};
    for (std::size_t i = 1; i < phase.images.size(); ++i) {
      const auto id = i <= ids.size() ? ids[i - 1] : std::to_string(i - 1);
      own.labeled.push_back({id, phase.images[i].patches, cells_of(phase.images[i])});
    }
  }
  return places;
}

void SamplingDensity::save(StateWriter& writer) const {
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    const auto name = fmt::format("sampled.{}", kPhaseNames[p]);
    writer.integer(name + ".iterations", phases_[p].iterations);
    for (std::size_t i = 0; i < phases_[p].images.size(); ++i) {
      writer.integer(fmt::format("{}.patches{}", name, i), phases_[p].images[i].patches);
      writer.integers(fmt::format("{}.pixels{}", name, i), phases_[p].images[i].pixels);
    }
  }
}

void SamplingDensity::load(const StateReader& reader) {
  constexpr std::int64_t kMostCounted = std::int64_t{1} << 50;
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    const auto name = fmt::format("sampled.{}", kPhaseNames[p]);
    phases_[p].iterations = reader.integer(name + ".iterations", 0, kMostCounted);
    for (std::size_t i = 0; i < phases_[p].images.size(); ++i) {
      auto& counts = phases_[p].images[i];
      counts.patches = reader.integer(fmt::format("{}.patches{}", name, i), 0, kMostCounted);
      auto pixels = reader.integers(fmt::format("{}.pixels{}", name, i));
      reader.require(pixels.size() == counts.pixels.size(),
                     fmt::format("an image is divided into {} cells, but there are counts of {}", counts.pixels.size(),
                                 pixels.size()));
      counts.pixels = std::move(pixels);
    }
  }
}

}  // namespace nbs::training
