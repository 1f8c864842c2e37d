// SPDX-License-Identifier: Apache-2.0
// Level 8: exceptions of the host go through a plugin and leave it usable, and its own come out as sentences.
#include <fmt/format.h>

#include "nbs/host/breach.h"
#include "nbs/not_finite.h"
#include "nbs/tensor.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

constexpr const char* kSentence = "the losses of this trial have diverged on purpose";

// What comes out when `call` meets an exception of the host: whether it was thrown on.
template <typename Call>
bool throws(const Call& call) {
  try {
    call();
    return false;
  } catch (const host::Breach&) {
    throw;
  } catch (const Error&) {
    return true;
  }
}

void interrupt_sampler(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  notes.tried("losses that cannot be given, in the middle of a rollout");
  const auto made = make_component(subject, facts, 3);
  MadeScene scene(3, 2, facts.image_size, facts.patch_size);
  int looks = 0;
  scene.before_loss([&] {
    if (++looks > 2) throw NotFiniteError(kSentence);
  });
  made.sampler->begin_cycle();
  const bool threw = throws([&] { made.sampler->sample(scene, 16); });
  if (looks > 2 && !threw) {
    notes.fail(fmt::format("{}, sample() swallowed the exception with which the host says that losses are no numbers",
                           subject.label()),
               "let exceptions of the scene go through");
  }
  scene.before_loss(nullptr);
  made.sampler->sample(scene, 4);  // still usable
}

void interrupt_predictor(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  const auto made = make_component(subject, facts, 3);
  auto& predictor = *made.predictor;
  const auto size = facts.image_size / 2;
  notes.tried(predictor.is_trainable() ? "a loss that throws" : "nothing, as it learns nothing");
  if (predictor.is_trainable()) {
    const bool threw = throws([&] {
      predictor.train_step(predictor_input(predictor, facts, 2, size, 1), made_masks(2, size),
                           [](const torch::Tensor&, const torch::Tensor&) -> torch::Tensor { throw Error(kSentence); });
    });
    if (!threw) {
      notes.fail(fmt::format("{}, train_step() swallowed an exception of the loss that it was given", subject.label()),
                 "let exceptions of the loss go through");
    }
  }
  predictor.logits(predictor_input(predictor, facts, 1, size, 1));  // still usable
}

}  // namespace

void check_exceptions(const Subject& subject, Notes& notes) {
  const auto facts = fitting_facts(subject);
  if (subject.plugin.kind == Kind::sampler) return interrupt_sampler(subject, facts, notes);
  interrupt_predictor(subject, facts, notes);
}

}  // namespace nbs::plugin_test
