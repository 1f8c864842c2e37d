// SPDX-License-Identifier: Apache-2.0
// Level 3: the first step of training goes downhill. The loss before a step is a function of what save() writes, and
// its slope along that step, by finite differences, must be negative whatever the optimizer. This finds wrong signs and
// wrong derivatives written by hand.
#include <cmath>

#include <fmt/format.h>

#include "nbs/tensor.h"
#include "nbs/training/prediction_loss.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

double step(const Made& made, const Context::Facts& facts) {
  if (made.autoencoder) return made.autoencoder->train_step(made_images(8, facts.patch_size, 11));
  auto& predictor = *made.predictor;
  const auto size = facts.image_size / 2;
  return predictor.train_step(predictor_input(predictor, facts, 4, size, 11), made_masks(4, size),
                              [](const torch::Tensor& logits, const torch::Tensor& masks) {
                                return training::prediction_loss(logits, masks, 1);
                              });
}

Component& component_of(const Made& made) {
  return made.autoencoder ? static_cast<Component&>(*made.autoencoder) : *made.predictor;
}

State saved(const Made& made) {
  State state;
  component_of(made).save(state);
  return state;
}

// `before` and `part` of the way to `after`.
State between(const State& before, const State& after, double part) {
  State state;
  for (std::size_t i = 0; i < before.tensors().size(); ++i) {
    const auto& [name, from] = before.tensors()[i];
    const auto& to = after.tensors()[i].second;
    const bool moves = from.is_floating_point() && from.sizes() == to.sizes();
    state.write(name, moves ? from + part * (to - from) : from);
  }
  return state;
}

// The loss of a new object, with the same random numbers each time, that has read `state`.
double loss_at(const Subject& subject, const Context::Facts& facts, const State& state) {
  const auto made = make_component(subject, facts, 5);
  component_of(made).load(state);
  made.context->generator().set_current_seed(9);
  return step(made, facts);
}

}  // namespace

void check_gradient(const Subject& subject, Notes& notes) {
  notes.tried("the slope of the loss along the first step, by finite differences");
  const auto facts = fitting_facts(subject);
  const auto made = make_component(subject, facts, 5);
  if (made.predictor && !made.predictor->is_trainable()) {
    notes.tried("nothing, as it learns nothing");
    return;
  }
  if (made.autoencoder) made.autoencoder->reset();
  const auto before = saved(made);
  made.context->generator().set_current_seed(9);
  const double loss = step(made, facts);
  const auto after = saved(made);
  constexpr double kPart = 0.25;
  const double ahead = loss_at(subject, facts, between(before, after, kPart));
  const double behind = loss_at(subject, facts, between(before, after, -kPart));
  const double slope = (ahead - behind) / (2 * kPart);
  const double noise = 1e-6 * std::abs(loss);
  if (std::abs(slope) <= noise) {
    notes.note(fmt::format("{}: the loss ({:.4g}) does not change along the first step of train_step()",
                           subject.label(), loss),
               "if it is to learn, look whether the step reaches what save() writes");
    return;
  }
  if (slope > 0) {
    notes.fail(
        fmt::format("{}, train_step() goes uphill: along its first step the loss ({:.4g}) grows, with a slope of "
                    "{:.3g} by finite differences",
                    subject.label(), loss, slope),
        "look at the sign of the step and at derivatives that you wrote yourself");
  }
  notes.tried(fmt::format("the slope of the loss along the first step, by finite differences: {:.3g}", slope));
}

}  // namespace nbs::plugin_test
