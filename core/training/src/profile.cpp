// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/profile.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "nbs/not_finite.h"

namespace nbs::training {

namespace {

// `patches`: of all tiles of an image.
torch::Tensor loss_map_of(Autoencoder& autoencoder, const Tiling& tiling, const torch::Tensor& patches) {
  const auto losses = autoencoder.pixel_loss(patches);
  if (!std::isfinite(losses.sum().item<double>()))
    throw NotFiniteError("the autoencoder's per-pixel losses are not finite");
  return tiling.assemble(losses);
}

}  // namespace

torch::Tensor loss_map(Autoencoder& autoencoder, const Tiling& tiling, const torch::Tensor& image) {
  return loss_map_of(autoencoder, tiling, tiling.gather(image));
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
  const auto problem = [&] {
    if (live.size() != snapshot->size()) {
      return fmt::format("it gives {} tensors now, but gave {} when the profile was recorded", live.size(),
                         snapshot->size());
    }
    for (std::size_t i = 0; i < live.size(); ++i) {
      if (live[i].sizes() != (*snapshot)[i].sizes()) {
        return fmt::format("tensor {} has the shape {} now, but had {} when the profile was recorded", i,
                           State::shape_text(live[i].sizes()), State::shape_text((*snapshot)[i].sizes()));
      }
    }
    return std::string();
  }();
  if (!problem.empty()) {
    throw Error("the autoencoder's state() must give the same live tensors in the same order at every call, but " +
                problem + "; see docs/profiles.md");
  }
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
  const auto patches = tiling.gather(image);
  for (const auto& snapshot : snapshots) {
    restore_snapshot(autoencoder, snapshot);
    maps.push_back(loss_map_of(autoencoder, tiling, patches));
  }
  return torch::stack(maps);
}

std::vector<double> map_means(const torch::Tensor& profile) {
  std::vector<double> means;
  for (std::int64_t t = 0; t < profile.size(0); ++t)
    means.push_back(profile[t].mean().item<double>());
  return means;
}

std::vector<double> profile_scales(const config::ProfileOptions& options, const std::vector<double>& means) {
  std::vector<double> scales(means.size(), 1.0);
  if (options.normalize == config::ProfileNormalization::mean) {
    const double total = std::accumulate(means.begin(), means.end(), 0.0);
    std::fill(scales.begin(), scales.end(), total / static_cast<double>(means.size()));
  } else if (options.normalize == config::ProfileNormalization::map) {
    scales = means;
  }
  for (double& scale : scales) {
    if (!(scale > 0)) scale = 1;
  }
  return scales;
}

torch::Tensor prepare_profile(const config::ProfileOptions& options, const torch::Tensor& profile,
                              const std::vector<double>& scales) {
  auto prepared = torch::empty_like(profile);
  for (std::int64_t t = 0; t < profile.size(0); ++t)
    prepared[t].copy_(profile[t] / scales[static_cast<std::size_t>(t)]);
  if (options.transform == config::ProfileTransform::log) prepared.add_(0.01).log_();
  return prepared;
}

}  // namespace nbs::training
