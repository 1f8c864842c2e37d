// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/profile_recorder.h"

#include <utility>

#include <fmt/format.h>

#include "nbs/training/reference_loss.h"

namespace nbs::training {

namespace {

// Losses of anomalous and of normal pixels, summed over images.
struct LossSums {
  double anomalous = 0;
  double all = 0;
  double anomalous_pixels = 0;
  double pixels = 0;

  void add(const torch::Tensor& map, const torch::Tensor& mask) {
    anomalous += (map * mask).sum().item<double>();
    all += map.sum().item<double>();
    anomalous_pixels += mask.sum().item<double>();
    pixels += static_cast<double>(mask.numel());
  }
  std::optional<double> ratio() const {
    const double normal = all - anomalous;
    if (anomalous_pixels <= 0 || normal <= 0) return std::nullopt;
    return (anomalous / anomalous_pixels) / (normal / (pixels - anomalous_pixels));
  }
};

}  // namespace

ProfileRecorder::ProfileRecorder(const TrainingImages& images, Autoencoder& autoencoder, const Tiling& tiling,
                                 const config::ProfileOptions& options, std::vector<std::int64_t> reference_images)
    : images_(images),
      whole_(images),
      autoencoder_(autoencoder),
      tiling_(tiling),
      options_(options),
      reference_images_(std::move(reference_images)),
      ring_(options.length),
      labeled_maps_(static_cast<std::size_t>(images.labeled)) {}

void ProfileRecorder::begin_cycle() {
  if (ring_.full()) {
    past_cycles_.push_back(current_cycle());
    if (static_cast<std::int64_t>(past_cycles_.size()) >= options_.cycles) past_cycles_.pop_front();
  }
  ring_.clear();
  reference_.clear();
  for (auto& maps : labeled_maps_)
    maps.clear();
}

void ProfileRecorder::record_parameters() {
  ring_.push(take_snapshot(autoencoder_));
  if (reference_images_.empty()) return;
  std::vector<torch::Tensor> maps;
  for (const auto image : reference_images_)
    maps.push_back(loss_map(autoencoder_, tiling_, images_.image(image)));
  reference_.push_back(reference_loss(maps, options_.reference_blur));
  if (static_cast<std::int64_t>(reference_.size()) > options_.length) reference_.pop_front();
}

ProfileRecorder::LabeledMaps ProfileRecorder::record_labeled_maps(const std::vector<CurrentLosses*>& losses) {
  LabeledMaps recorded;
  LossSums sums;
  for (std::int64_t i = 0; i < images_.labeled; ++i) {
    auto map = loss_map(autoencoder_, tiling_, images_.image(i));
    for (auto* const current : losses) {
      if (tiling_ == current->tiling()) current->set(i, map);
    }
    sums.add(whole_.without_padding(map, i), whole_.without_padding(images_.masks[i], i));
    auto& maps = labeled_maps_[static_cast<std::size_t>(i)];
    const double mean = map.mean().item<double>();
    maps.push_back({reference_.empty() ? std::move(map) : relative_loss(map, reference_.back()), mean});
    if (static_cast<std::int64_t>(maps.size()) > options_.length) maps.pop_front();
    if (ring_.full()) recorded.profiles.push_back(profile_of(i));
  }
  recorded.loss_ratio = sums.ratio();
  if (ring_.full() && images_.labeled > 0 && !replay_tried_) {
    replay_tried_ = true;
    require_exact_replay();
  }
  return recorded;
}

// At the end, masks are made from parameters that are put back. What state() leaves out, or gives as a copy, would make
// them other maps than those that the predictor was taught, and no number of the run would show it.
void ProfileRecorder::require_exact_replay() {
  const auto image = images_.image(0);
  const auto& recorded = labeled_maps_[0].front().map;
  restore_snapshot(autoencoder_, ring_.snapshots().front());
  auto replayed = loss_map(autoencoder_, tiling_, image);
  const auto patches = tiling_.gather(image);
  const auto together = autoencoder_.pixel_loss(patches)[0];
  const auto alone = autoencoder_.pixel_loss(patches.slice(0, 0, 1).contiguous())[0];
  restore_snapshot(autoencoder_, ring_.snapshots().back());
  if (!reference_.empty()) replayed = relative_loss(replayed, reference_.front());
  if (!torch::equal(replayed, recorded)) {
    throw Error(fmt::format(
        "the autoencoder's loss maps cannot be replayed: with what state() gave put back, a map differs from the one "
        "recorded then by up to {:.3g}; state() must give every tensor that pixel_loss() depends on, live and no copy, "
        "in a fixed order (docs/profiles.md), and no plugin may write into an image",
        (replayed - recorded).abs().max().item<double>()));
  }
  // Batches of other sizes may be computed in another order, which costs some last bits and no more.
  constexpr double kRounding = 1e-3;
  const double difference = (together - alone).abs().max().item<double>();
  const double largest = together.max().item<double>();
  if (difference > kRounding * largest) {
    throw Error(fmt::format(
        "the autoencoder's pixel_loss() of a patch differs by up to {:.3g} (of {:.3g}) when the patch is alone in its "
        "batch; it must not depend on the other patches (batch normalization uses its running statistics there)",
        difference, largest));
  }
}

BufferedProfile ProfileRecorder::profile_of(std::int64_t labeled_image) const {
  BufferedProfile profile;
  profile.image = labeled_image;
  std::vector<double> means;
  for (const auto& recorded : labeled_maps_[static_cast<std::size_t>(labeled_image)]) {
    profile.maps.push_back(recorded.map);
    means.push_back(recorded.mean);
  }
  profile.scales = profile_scales(options_, means);
  return profile;
}

Cycle ProfileRecorder::current_cycle() const {
  return {{ring_.snapshots().begin(), ring_.snapshots().end()}, {reference_.begin(), reference_.end()}};
}

std::vector<Cycle> ProfileRecorder::cycles() const {
  std::vector<Cycle> all(past_cycles_.begin(), past_cycles_.end());
  all.push_back(current_cycle());
  return all;
}

void ProfileRecorder::save(StateWriter& writer) const {
  write_cycle(writer, "recorder.current", current_cycle());
  writer.integer("recorder.past_cycles", static_cast<std::int64_t>(past_cycles_.size()));
  for (std::size_t l = 0; l < past_cycles_.size(); ++l)
    write_cycle(writer, fmt::format("recorder.past{}", l), past_cycles_[l]);
  for (std::size_t i = 0; i < labeled_maps_.size(); ++i) {
    std::vector<torch::Tensor> maps;
    std::vector<double> means;
    for (const auto& recorded : labeled_maps_[i]) {
      maps.push_back(recorded.map);
      means.push_back(recorded.mean);
    }
    writer.shared(fmt::format("recorder.labeled{}.maps", i), maps);
    writer.numbers(fmt::format("recorder.labeled{}.means", i), means);
  }
}

void ProfileRecorder::load(const StateReader& reader) {
  const auto T = options_.length;
  const auto current = read_cycle(reader, "recorder.current", autoencoder_, 0, T, images_.size());
  ring_.assign(current.snapshots);
  reference_.assign(current.reference.begin(), current.reference.end());
  past_cycles_.clear();
  const auto past = reader.integer("recorder.past_cycles", 0, options_.cycles - 1);
  for (std::int64_t l = 0; l < past; ++l)
    past_cycles_.push_back(read_cycle(reader, fmt::format("recorder.past{}", l), autoencoder_, T, T, images_.size()));
  for (std::size_t i = 0; i < labeled_maps_.size(); ++i) {
    auto maps = reader.shared(fmt::format("recorder.labeled{}.maps", i), {images_.size(), images_.size()});
    const auto means = reader.numbers(fmt::format("recorder.labeled{}.means", i));
    reader.require(maps.size() == means.size() && static_cast<std::int64_t>(maps.size()) <= T,
                   fmt::format("there are {} loss maps and {} means of labeled image {}, but profile.length is {}",
                               maps.size(), means.size(), i, T));
    labeled_maps_[i].clear();
    for (std::size_t t = 0; t < maps.size(); ++t)
      labeled_maps_[i].push_back({std::move(maps[t]), means[t]});
  }
}

}  // namespace nbs::training
