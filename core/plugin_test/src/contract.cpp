// SPDX-License-Identifier: Apache-2.0
// Level 3: what the interface of the kind promises. The host's own guard compares what comes back (counts, positions,
// shapes, types, finite, ranges); here it is asked in many ways, and what the guard does not see is compared.
#include <cmath>

#include <fmt/format.h>

#include "nbs/host/breach.h"
#include "nbs/tensor.h"
#include "nbs/training/prediction_loss.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

// Scenes that may be more than a sampler is made for: it may refuse them with a sentence, but not break a promise. A
// run has one set of images, so each scene has a sampler of its own.
void try_scene(const Subject& subject, const Context::Facts& facts, MadeScene& scene) {
  try {
    const auto made = make_component(subject, facts, 3);
    made.sampler->begin_cycle();
    made.sampler->sample(scene, 5);
    made.sampler->sample(scene, 1);
  } catch (const host::Breach&) {
    throw;
  } catch (const Error&) {
    return;
  }
}

void check_sampler(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  notes.tried("rollouts of 1 to 64 patches, of 1 to 4 images, with one place for a patch, and without labeled images");
  MadeScene one(1, 1, facts.image_size, facts.patch_size);
  MadeScene unlabeled(2, 0, facts.image_size, facts.patch_size);
  MadeScene tight(2, 1, facts.patch_size, facts.patch_size);
  for (MadeScene* scene : {&one, &unlabeled, &tight})
    try_scene(subject, facts, *scene);
  const auto made = make_component(subject, facts, 3);
  auto& sampler = *made.sampler;
  sampler.begin_cycle();
  MadeScene usual(4, 2, facts.image_size, facts.patch_size);
  for (const std::int64_t count : {1, 2, 7, 64})
    sampler.sample(usual, count);
  MadeScene labeled(2, 2, facts.image_size, facts.patch_size);
  // As in training, where a sampler that learns has a second rollout on the labeled images alone.
  std::vector<RolloutRequest> requests = {{&usual, 3}};
  if (sampler.is_trainable()) requests.insert(requests.begin(), {&labeled, 4});
  const auto rollouts = sampler.sample_all(requests);
  if (!sampler.is_trainable()) return;
  std::vector<RewardedRollout> rewarded;
  for (std::size_t i = 0; i < rollouts.size(); ++i)
    rewarded.push_back(made_rewarded(rollouts[i], i));
  for (const auto& [name, value] : sampler.train_step(rewarded)) {
    if (!std::isfinite(value) || name.empty()) {
      notes.fail(fmt::format("{}, train_step() returned the number \"{}\" = {}", subject.label(), name, value),
                 "return finite numbers with a name, or leave them out");
    }
  }
}

void check_autoencoder(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  notes.tried("steps and losses of batches of 1 to 9 patches, also black and white ones");
  const auto made = make_component(subject, facts, 3);
  auto& autoencoder = *made.autoencoder;
  autoencoder.reset();
  const auto p = facts.patch_size;
  for (const std::int64_t n : {1, 2, 9}) {
    const auto patches = made_images(n, p, static_cast<std::uint64_t>(n));
    const double loss = autoencoder.train_step(patches);
    if (!std::isfinite(loss) || loss < 0) {
      notes.fail(fmt::format("{}, train_step() returned the loss {}, but a number of at least 0 is wanted",
                             subject.label(), loss),
                 "return the mean loss of the patches before the step");
    }
    autoencoder.pixel_loss(patches);
  }
  for (const double gray : {0.0, 1.0}) {
    if (autoencoder.pixel_loss(torch::full({2, 3, p, p}, gray)).requires_grad()) {
      notes.fail(fmt::format("{}, pixel_loss() returned a tensor with a gradient, which keeps all that it was made of",
                             subject.label()),
                 "put a torch::NoGradGuard into it");
      return;
    }
  }
}

void check_predictor(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  const auto made = make_component(subject, facts, 3);
  auto& predictor = *made.predictor;
  const bool learns = predictor.is_trainable();
  notes.tried(learns ? "steps on crops, logits of 1 to 3 whole images" : "logits of 1 to 3 whole images");
  if (!predictor.needs_profile() && !predictor.needs_image()) {
    notes.fail(fmt::format("{} needs neither a profile nor an image", subject.label()),
               "let needs_profile() or needs_image() return true");
    return;
  }
  if (learns) {
    double given = NAN;
    const auto loss = [&](const torch::Tensor& logits, const torch::Tensor& masks) {
      if (!logits.defined() || logits.sizes() != masks.sizes()) {
        throw Error(fmt::format("the loss was given logits of another shape than [{}], that of the masks",
                                fmt::join(masks.sizes().vec(), ", ")));
      }
      auto value = training::prediction_loss(logits, masks, 1);
      if (std::isnan(given)) given = value.item<double>();
      return value;
    };
    const auto crop = facts.image_size / 2;
    const double returned =
        predictor.train_step(predictor_input(predictor, facts, 3, crop, 5), made_masks(3, crop), loss);
    if (!(std::abs(returned - given) <= 1e-4 * std::abs(given))) {
      notes.fail(fmt::format("{}, train_step() returned {}, but the loss that it was given is {} before the step",
                             subject.label(), returned, given),
                 "return what `loss` gave, without terms of your own");
    }
  }
  for (const std::int64_t n : {1, 3}) {
    if (predictor.logits(predictor_input(predictor, facts, n, facts.image_size, 6)).requires_grad()) {
      notes.fail(fmt::format("{}, logits() returned a tensor with a gradient, which keeps all that it was made of",
                             subject.label()),
                 "put a torch::NoGradGuard into it");
      return;
    }
  }
}

void check_postprocessor(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  notes.tried("maps of 1 to 3 images, square and not, all 0 and all 1");
  const auto made = make_component(subject, facts, 3);
  auto& postprocessor = *made.postprocessor;
  const std::int64_t size = facts.image_size / 2;
  for (const std::int64_t n : {1, 3})
    postprocessor.apply(made_probabilities(n, size, 4), made_images(n, size, 5));
  const auto wide = made_probabilities(1, size, 4).slice(1, 0, size / 2 + 1).contiguous();
  postprocessor.apply(wide, made_images(1, size, 5).slice(2, 0, size / 2 + 1).contiguous());
  for (const double value : {0.0, 1.0})
    postprocessor.apply(torch::full({1, size, size}, value), made_images(1, size, 5));
}

}  // namespace

void check_contract(const Subject& subject, Notes& notes) {
  const auto facts = fitting_facts(subject);
  switch (subject.plugin.kind) {
    case Kind::sampler:
      return check_sampler(subject, facts, notes);
    case Kind::autoencoder:
      return check_autoencoder(subject, facts, notes);
    case Kind::predictor:
      return check_predictor(subject, facts, notes);
    case Kind::postprocessor:
      return check_postprocessor(subject, facts, notes);
  }
}

}  // namespace nbs::plugin_test
