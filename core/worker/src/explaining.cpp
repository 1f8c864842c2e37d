// SPDX-License-Identifier: Apache-2.0
#include "explaining.h"

#include <algorithm>

#include "nbs/evaluation/loss_profile.h"
#include "nbs/evaluation/precision_recall.h"
#include "nbs/torch.h"

#include "scoring.h"

namespace nbs::worker {

namespace {

// A profile is replayed for each image that is looked at, which for all of them would take as long as predicting did.
// Quartiles of the pixels of this many do not differ from those of all by anything that a drawing shows.
constexpr std::size_t kMostLookedAt = 24;

void add(std::optional<evaluation::LossProfiles>& losses, training::Inference& inference, const torch::Tensor& image,
         const std::vector<std::uint8_t>& mask) {
  torch::NoGradGuard no_grad;
  const auto profile = inference.profile(image).contiguous();
  if (!losses) losses.emplace(profile.size(0));
  losses->add(profile.data_ptr<float>(), mask);
}

std::optional<record::LossProfile> summary(const std::optional<evaluation::LossProfiles>& losses) {
  if (!losses) return std::nullopt;
  return losses->summary();
}

}  // namespace

std::optional<record::LossProfile> labeled_profile(training::Inference& inference,
                                                   const training::TrainingImages& images) {
  if (!inference.has_profiles()) return std::nullopt;
  std::optional<evaluation::LossProfiles> losses;
  for (std::int64_t i = 0; i < images.labeled; ++i) {
    const auto anomalous = (images.masks[i] > 0.5).to(torch::kUInt8).contiguous();
    const auto* const values = anomalous.data_ptr<std::uint8_t>();
    add(losses, inference, images.image(i), {values, values + anomalous.numel()});
  }
  return summary(losses);
}

std::optional<record::LossProfile> scored_profile(training::Inference& inference,
                                                  const training::TrainingImages& images,
                                                  const std::vector<evaluation::ScoredImage>& unlabeled) {
  if (!inference.has_profiles()) return std::nullopt;
  std::vector<std::size_t> opened;
  for (std::size_t i = 0; i < unlabeled.size(); ++i) {
    if (!unlabeled[i].mask.empty()) opened.push_back(i);
  }
  std::optional<evaluation::LossProfiles> losses;
  const auto looked_at = std::min(kMostLookedAt, opened.size());
  for (std::size_t n = 0; n < looked_at; ++n) {
    const auto i = opened[n * opened.size() / looked_at];
    add(losses, inference, images.image(images.labeled + static_cast<std::int64_t>(i)), unlabeled[i].mask);
  }
  return summary(losses);
}

std::optional<record::PrecisionRecallCurve> curve_of(const std::vector<evaluation::ScoredImage>& unlabeled,
                                                     const std::optional<record::Scores>& scores) {
  if (!scores) return std::nullopt;
  return evaluation::precision_recall(with_masks(unlabeled), *scores);
}

}  // namespace nbs::worker
