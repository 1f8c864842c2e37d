// SPDX-License-Identifier: Apache-2.0
#include "explaining.h"

#include <algorithm>
#include <vector>

#include "nbs/evaluation/loss_profile.h"
#include "nbs/tensor.h"

namespace nbs::worker {

namespace {

// A profile is replayed for each view that is looked at, which for all of them would take as long as predicting did.
// Quartiles of the pixels of this many do not differ from those of all by anything that a drawing shows.
constexpr std::size_t kMostLookedAt = 24;

// `mask`: [H, W] of what the view shows of its image.
void add(std::optional<evaluation::LossProfiles>& losses, training::Ensemble& ensemble, const torch::Tensor& image,
         const training::WholeImages& whole, std::int64_t view, const torch::Tensor& mask) {
  torch::NoGradGuard no_grad;
  const auto profile = whole.without_padding(ensemble.profile(image), view).contiguous();
  const auto shown = mask.to(torch::kUInt8).contiguous();
  const auto* const values = shown.data_ptr<std::uint8_t>();
  if (!losses) losses.emplace(profile.size(0));
  losses->add(profile.data_ptr<float>(), {values, values + shown.numel()});
}

struct ViewOfImage {
  std::int64_t image;  // unlabeled
  std::int64_t view;
};

void add_unlabeled(std::optional<evaluation::LossProfiles>& losses, training::Ensemble& ensemble,
                   const training::TrainingImages& images, const training::WholeImages& whole,
                   const UnlabeledImages& unlabeled, const ViewOfImage& looked_at) {
  auto mask = unlabeled.mask(looked_at.image);
  const auto part = whole.part(looked_at.view);
  const auto size = whole.size(whole.labeled() + looked_at.image);
  const auto shown = torch::from_blob(mask.data(), {size.height, size.width}, torch::kUInt8)
                         .slice(0, part.y, part.y + part.height)
                         .slice(1, part.x, part.x + part.width);
  add(losses, ensemble, images.image(looked_at.view), whole, looked_at.view, shown);
}

std::optional<record::LossProfile> summary(const std::optional<evaluation::LossProfiles>& losses) {
  if (!losses) return std::nullopt;
  return losses->summary();
}

}  // namespace

std::optional<record::LossProfile> labeled_profile(training::Ensemble& ensemble, const training::TrainingImages& images,
                                                   const training::WholeImages& whole) {
  if (!ensemble.has_profiles()) return std::nullopt;
  std::optional<evaluation::LossProfiles> losses;
  for (std::int64_t i = 0; i < images.labeled; ++i) {
    add(losses, ensemble, images.image(i), whole, i, whole.without_padding(images.masks[i] > 0.5, i));
  }
  return summary(losses);
}

std::optional<record::LossProfile> scored_profile(training::Ensemble& ensemble, const training::TrainingImages& images,
                                                  const training::WholeImages& whole,
                                                  const UnlabeledImages& unlabeled) {
  if (!ensemble.has_profiles()) return std::nullopt;
  // Views of images with masks, numbered by the views of all unlabeled images.
  std::vector<std::int64_t> opened;
  for (std::int64_t i = 0; i < unlabeled.count(); ++i) {
    if (unlabeled.has_mask(i)) opened.push_back(i);
  }
  const auto views_of = [&](std::int64_t image) { return whole.views_of({whole.labeled() + image}); };
  std::size_t views = 0;
  for (const auto i : opened)
    views += views_of(i).size();
  const auto looked_at = std::min(kMostLookedAt, views);
  std::optional<evaluation::LossProfiles> losses;
  std::size_t before = 0;  // views of earlier images
  std::size_t n = 0;       // looked at
  for (const auto i : opened) {
    const auto own = views_of(i);
    for (; n < looked_at && n * views / looked_at < before + own.size(); ++n)
      add_unlabeled(losses, ensemble, images, whole, unlabeled, {i, own[n * views / looked_at - before]});
    before += own.size();
  }
  return summary(losses);
}

}  // namespace nbs::worker
