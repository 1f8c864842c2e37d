// SPDX-License-Identifier: Apache-2.0
// Level 7: an autoencoder's state() is complete, live and in a fixed order, so that loss maps can be replayed
// (docs/profiles.md).
#include <fmt/format.h>

#include "nbs/tensor.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

constexpr std::size_t kSets = 5;

std::vector<std::vector<std::int64_t>> shapes_of(const std::vector<torch::Tensor>& tensors) {
  std::vector<std::vector<std::int64_t>> shapes;
  shapes.reserve(tensors.size());
  for (const auto& tensor : tensors)
    shapes.push_back(tensor.sizes().vec());
  return shapes;
}

std::vector<torch::Tensor> copies_of(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> copies;
  copies.reserve(tensors.size());
  for (const auto& tensor : tensors)
    copies.push_back(tensor.detach().clone());
  return copies;
}

void put_back(Autoencoder& autoencoder, const std::vector<torch::Tensor>& copies) {
  const torch::NoGradGuard no_grad;
  auto live = autoencoder.state();
  for (std::size_t i = 0; i < live.size(); ++i)
    live[i].copy_(copies[i]);
}

}  // namespace

void check_replay(const Subject& subject, Notes& notes) {
  notes.tried(fmt::format("{} parameter sets put back, in another order and after a reset", kSets));
  const auto facts = fitting_facts(subject);
  const auto made = make_component(subject, facts, 3);
  auto& autoencoder = *made.autoencoder;
  autoencoder.reset();
  const auto patches = made_images(4, facts.patch_size, 1);
  const char* const advice =
      "state() must give every tensor that pixel_loss() depends on, live and no copy, in a fixed order "
      "(docs/profiles.md)";
  std::vector<std::vector<torch::Tensor>> sets;
  std::vector<torch::Tensor> maps;
  for (std::size_t i = 0; i < kSets; ++i) {
    autoencoder.train_step(made_images(4, facts.patch_size, 2 + i));
    sets.push_back(copies_of(autoencoder.state()));
    if (shapes_of(sets.back()) != shapes_of(sets.front())) {
      notes.fail(fmt::format("{}, state() gave {} tensors after step {}, but {} after the first, or of other shapes",
                             subject.label(), sets.back().size(), i + 1, sets.front().size()),
                 advice);
      return;
    }
    maps.push_back(autoencoder.pixel_loss(patches).clone());
    if (!torch::equal(autoencoder.pixel_loss(patches), maps.back())) {
      notes.fail(fmt::format("{}, pixel_loss() gave other losses when it was asked again", subject.label()),
                 "pixel_loss() must change nothing and draw nothing at random");
      return;
    }
  }
  autoencoder.reset();
  for (const std::size_t i : {0UL, 3UL, 1UL, 4UL, 2UL}) {
    put_back(autoencoder, sets[i]);
    const auto replayed = autoencoder.pixel_loss(patches);
    if (torch::equal(replayed, maps[i])) continue;
    const auto live = autoencoder.state();
    bool kept = true;
    for (std::size_t k = 0; k < live.size(); ++k)
      kept = kept && torch::equal(live[k], sets[i][k]);
    notes.fail(fmt::format("{}, state() {}: with the tensors of an earlier step put back, losses differ from those of "
                           "then by up to {:.3g}",
                           subject.label(), kept ? "is not complete" : "gives copies, or another order each time",
                           (replayed - maps[i]).abs().max().item<double>()),
               advice);
    return;
  }
}

}  // namespace nbs::plugin_test
