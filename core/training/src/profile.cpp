// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/profile.h"

#include <cmath>
#include <utility>

#include "nbs/not_finite.h"

namespace nbs::training {

torch::Tensor loss_map(Autoencoder& autoencoder, const Tiling& tiling, const torch::Tensor& image) {
  const auto patches = tiling.gather(image);
  const auto losses = autoencoder.pixel_loss(patches);
  if (!std::isfinite(losses.sum().item<double>()))
    throw NotFiniteError("the autoencoder's per-pixel losses are not finite");
  return tiling.assemble(losses);
}

Snapshot take_snapshot(Autoencoder& autoencoder) {
  torch::NoGradGuard no_grad;
  auto copies = std::make_shared<std::vector<torch::Tensor>>();
  for (const auto& tensor : autoencoder.state())
    copies->push_back(tensor.detach().clone());
  return copies;
}

void restore_snapshot(Autoencoder& autoencoder, const Snapshot& snapshot) {
  torch::NoGradGuard no_grad;
  auto live = autoencoder.state();
  for (std::size_t i = 0; i < live.size(); ++i)
    live[i].copy_((*snapshot)[i]);
}

void ParameterRing::push(Snapshot snapshot) {
  snapshots_.push_back(std::move(snapshot));
  if (static_cast<std::int64_t>(snapshots_.size()) > length_) snapshots_.pop_front();
}

torch::Tensor replay_profile(Autoencoder& autoencoder, const Tiling& tiling, const std::vector<Snapshot>& snapshots,
                             const torch::Tensor& image) {
  std::vector<torch::Tensor> maps;
  maps.reserve(snapshots.size());
  for (const auto& snapshot : snapshots) {
    restore_snapshot(autoencoder, snapshot);
    maps.push_back(loss_map(autoencoder, tiling, image));
  }
  return torch::stack(maps);
}

double profile_scale(const config::ProfileOptions& options, const torch::Tensor& profile) {
  if (options.normalise == "none") return 1;
  // A perfect reconstruction has mean 0; its profile stays 0.
  const double mean = profile.mean().item<double>();
  return mean > 0 ? mean : 1;
}

torch::Tensor prepare_profile(const config::ProfileOptions& options, const torch::Tensor& profile, double scale) {
  auto prepared = profile / scale;
  if (options.transform == "log") prepared.add_(0.01).log_();
  return prepared;
}

}  // namespace nbs::training
