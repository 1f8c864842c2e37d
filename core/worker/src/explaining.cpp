// SPDX-License-Identifier: Apache-2.0
#include "explaining.h"

#include <algorithm>
#include <utility>

#include "nbs/evaluation/loss_profile.h"
#include "nbs/evaluation/precision_recall.h"
#include "nbs/torch.h"

#include "scoring.h"

namespace nbs::worker {

namespace {

// A profile is replayed for each view that is looked at, which for all of them would take as long as predicting did.
// Quartiles of the pixels of this many do not differ from those of all by anything that a drawing shows.
constexpr std::size_t kMostLookedAt = 24;

// `mask`: [H, W] of what the view shows of its image.
void add(std::optional<evaluation::LossProfiles>& losses, training::Inference& inference, const torch::Tensor& image,
         const training::WholeImages& whole, std::int64_t view, const torch::Tensor& mask) {
  torch::NoGradGuard no_grad;
  const auto profile = whole.without_padding(inference.profile(image), view).contiguous();
  const auto shown = mask.to(torch::kUInt8).contiguous();
  const auto* const values = shown.data_ptr<std::uint8_t>();
  if (!losses) losses.emplace(profile.size(0));
  losses->add(profile.data_ptr<float>(), {values, values + shown.numel()});
}

std::optional<record::LossProfile> summary(const std::optional<evaluation::LossProfiles>& losses) {
  if (!losses) return std::nullopt;
  return losses->summary();
}

}  // namespace

std::optional<record::LossProfile> labeled_profile(training::Inference& inference,
                                                   const training::TrainingImages& images,
                                                   const training::WholeImages& whole) {
  if (!inference.has_profiles()) return std::nullopt;
  std::optional<evaluation::LossProfiles> losses;
  for (std::int64_t i = 0; i < images.labeled; ++i) {
    add(losses, inference, images.image(i), whole, i, whole.without_padding(images.masks[i] > 0.5, i));
  }
  return summary(losses);
}

std::optional<record::LossProfile> scored_profile(training::Inference& inference,
                                                  const training::TrainingImages& images,
                                                  const training::WholeImages& whole,
                                                  const std::vector<evaluation::ScoredImage>& unlabeled) {
  if (!inference.has_profiles()) return std::nullopt;
  std::vector<std::pair<std::size_t, std::int64_t>> opened;  // image and view
  for (std::size_t i = 0; i < unlabeled.size(); ++i) {
    if (unlabeled[i].mask.empty()) continue;
    for (const auto view : whole.views_of({whole.labeled() + static_cast<std::int64_t>(i)}))
      opened.emplace_back(i, view);
  }
  std::optional<evaluation::LossProfiles> losses;
  const auto looked_at = std::min(kMostLookedAt, opened.size());
  for (std::size_t n = 0; n < looked_at; ++n) {
    const auto [i, view] = opened[n * opened.size() / looked_at];
    auto mask = unlabeled[i].mask;
    const auto part = whole.part(view);
    const auto shown = torch::from_blob(mask.data(), {unlabeled[i].height, unlabeled[i].width}, torch::kUInt8)
                           .slice(0, part.y, part.y + part.height)
                           .slice(1, part.x, part.x + part.width);
    add(losses, inference, images.image(view), whole, view, shown);
  }
  return summary(losses);
}

std::optional<record::PrecisionRecallCurve> curve_of(const std::vector<evaluation::ScoredImage>& unlabeled,
                                                     const std::optional<record::Scores>& scores) {
  if (!scores) return std::nullopt;
  return evaluation::precision_recall(with_masks(unlabeled), *scores);
}

}  // namespace nbs::worker
