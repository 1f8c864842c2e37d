// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/profile_recorder.h"

#include "nbs/training/typical_loss.h"

namespace nbs::training {

namespace {

// Losses of anomalous and of normal pixels, summed over images.
struct LossSums {
  double anomalous = 0;
  double all = 0;
  double anomalous_pixels = 0;

  void add(const torch::Tensor& map, const torch::Tensor& mask) {
    anomalous += (map * mask).sum().item<double>();
    all += map.sum().item<double>();
    anomalous_pixels += mask.sum().item<double>();
  }
  std::optional<double> ratio(std::int64_t pixels) const {
    const double normal = all - anomalous;
    if (anomalous_pixels <= 0 || normal <= 0) return std::nullopt;
    return (anomalous / anomalous_pixels) / (normal / (static_cast<double>(pixels) - anomalous_pixels));
  }
};

}  // namespace

ProfileRecorder::ProfileRecorder(const TrainingImages& images, Autoencoder& autoencoder, const Tiling& tiling,
                                 const config::ProfileOptions& options, std::vector<std::int64_t> typical_images)
    : images_(images),
      autoencoder_(autoencoder),
      tiling_(tiling),
      options_(options),
      typical_images_(std::move(typical_images)),
      ring_(options.length),
      labeled_maps_(static_cast<std::size_t>(images.labelled)) {}

void ProfileRecorder::begin_life() {
  if (ring_.full()) {
    past_lives_.push_back(current_life());
    if (static_cast<std::int64_t>(past_lives_.size()) >= options_.lives) past_lives_.pop_front();
  }
  ring_.clear();
  typical_.clear();
  for (auto& maps : labeled_maps_)
    maps.clear();
}

void ProfileRecorder::record_parameters() {
  ring_.push(take_snapshot(autoencoder_));
  if (typical_images_.empty()) return;
  std::vector<torch::Tensor> maps;
  for (const auto image : typical_images_)
    maps.push_back(loss_map(autoencoder_, tiling_, images_.images[image]));
  typical_.push_back(typical_loss(maps, options_.typical_blur));
  if (static_cast<std::int64_t>(typical_.size()) > options_.length) typical_.pop_front();
}

ProfileRecorder::LabeledMaps ProfileRecorder::record_labeled_maps(CurrentLosses& losses) {
  LabeledMaps recorded;
  LossSums sums;
  for (std::int64_t i = 0; i < images_.labelled; ++i) {
    auto map = loss_map(autoencoder_, tiling_, images_.images[i]);
    if (tiling_ == losses.tiling()) losses.set(i, map);
    sums.add(map, images_.masks[i]);
    auto& maps = labeled_maps_[static_cast<std::size_t>(i)];
    const double mean = map.mean().item<double>();
    maps.push_back({typical_.empty() ? std::move(map) : relative_loss(map, typical_.back()), mean});
    if (static_cast<std::int64_t>(maps.size()) > options_.length) maps.pop_front();
    if (ring_.full()) recorded.profiles.push_back(profile_of(i));
  }
  recorded.loss_ratio = sums.ratio(images_.masks.numel());
  return recorded;
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

Life ProfileRecorder::current_life() const {
  return {{ring_.snapshots().begin(), ring_.snapshots().end()}, {typical_.begin(), typical_.end()}};
}

std::vector<Life> ProfileRecorder::lives() const {
  std::vector<Life> all(past_lives_.begin(), past_lives_.end());
  all.push_back(current_life());
  return all;
}

}  // namespace nbs::training
