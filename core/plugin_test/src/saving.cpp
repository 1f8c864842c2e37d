// SPDX-License-Identifier: Apache-2.0
// Level 5: what save() wrote is enough to go on with the same bits, as a run that was cut off does, and load() refuses
// what is not its own.
#include <algorithm>

#include <fmt/format.h>

#include "nbs/tensor.h"

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

constexpr std::int64_t kBefore = 3;
constexpr std::int64_t kAfter = 3;

State without(const State& state, std::size_t left_out) {
  State less;
  for (std::size_t i = 0; i < state.tensors().size(); ++i) {
    if (i != left_out) less.write(state.tensors()[i].first, state.tensors()[i].second);
  }
  return less;
}

State with_another_shape(const State& state, std::size_t which) {
  State other;
  for (std::size_t i = 0; i < state.tensors().size(); ++i) {
    const auto& [name, tensor] = state.tensors()[i];
    other.write(name, i == which ? tensor.unsqueeze(0).expand({2, -1}).contiguous() : tensor);
  }
  return other;
}

bool refuses(const Subject& subject, const Context::Facts& facts, const State& state) {
  try {
    Specimen::make(subject, facts, 3)->component().load(state);
    return false;
  } catch (const Error&) {
    return true;
  }
}

void check_refusals(const Subject& subject, const Context::Facts& facts, const State& state, Notes& notes) {
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < std::min(kMost, state.tensors().size()); ++i) {
    const auto& [name, tensor] = state.tensors()[i];
    if (!refuses(subject, facts, without(state, i))) {
      notes.note(fmt::format("{}, load() took a state without the tensor \"{}\" that save() had written",
                             subject.label(), name),
                 "if every state has it, read it without asking has()");
    }
    if (tensor.dim() == 1 && !refuses(subject, facts, with_another_shape(state, i))) {
      notes.fail(fmt::format("{}, load() took the tensor \"{}\" with two dimensions where save() had written one",
                             subject.label(), name),
                 "read it with its shape, or check the shape of what read_any_shape() gives");
    }
  }
}

// Made anew from its options for every chain, so nothing that it has seen may matter.
void check_stateless(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  notes.tried("a map after others, and alone");
  const auto used = Specimen::make(subject, facts, 7);
  for (std::int64_t round = 0; round < kBefore; ++round)
    used->use(round);
  if (same(used->use(kBefore), Specimen::make(subject, facts, 7)->use(kBefore))) return;
  notes.fail(
      fmt::format("{}, apply() gives other maps when it was called before with other images, but a postprocessor "
                  "is made anew for every chain",
                  subject.label()),
      "keep nothing from call to call");
}

}  // namespace

void check_saving(const Subject& subject, Notes& notes) {
  const auto facts = fitting_facts(subject);
  if (subject.plugin.kind == Kind::postprocessor) return check_stateless(subject, facts, notes);
  const auto original = Specimen::make(subject, facts, 7);
  for (std::int64_t round = 0; round < kBefore; ++round)
    original->use(round);
  const auto state = original->saved();
  const auto generator = original->generator_state();
  notes.tried(fmt::format("saved after {} rounds ({} tensors), loaded, and {} rounds more", kBefore,
                          state.tensors().size(), kAfter));
  // Another seed, and used before: whatever load() does not put in place shows.
  const auto resumed = Specimen::make(subject, facts, 8);
  resumed->use(0);
  resumed->resume(state, generator);
  for (std::int64_t round = kBefore; round < kBefore + kAfter; ++round) {
    // The same for both: level 6 tells of those who draw from LibTorch's global generator.
    torch::manual_seed(1);
    const auto wanted = original->use(round);
    torch::manual_seed(1);
    if (same(wanted, resumed->use(round))) continue;
    notes.fail(
        fmt::format("an object of {} that has loaded what another one saved gives other results in round {} after "
                    "it, so a run that was cut off would not go on as it was",
                    subject.label(), round - kBefore + 1),
        "save() everything that later results depend on, and load() all of it");
    return;
  }
  check_refusals(subject, facts, state, notes);
}

}  // namespace nbs::plugin_test
