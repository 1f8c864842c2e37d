// SPDX-License-Identifier: Apache-2.0
// Level 5: the same seed gives the same bits, and objects do not know of each other.
#include <fmt/format.h>

#include "nbs/tensor.h"

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

constexpr std::int64_t kRounds = 5;

// LibTorch's global generator, which a run seeds too, is no reason for other results here: level 6 tells of it.
Trace round_of(Specimen& specimen, std::int64_t round) {
  torch::manual_seed(static_cast<std::uint64_t>(round) + 1);
  return specimen.use(round);
}

}  // namespace

void check_determinism(const Subject& subject, Notes& notes) {
  notes.tried(
      fmt::format("{} rounds of two objects with the same seed, one by one and in turns with a third", kRounds));
  const auto facts = fitting_facts(subject);
  const auto first = Specimen::make(subject, facts, 7);
  std::vector<Trace> wanted;
  for (std::int64_t round = 0; round < kRounds; ++round)
    wanted.push_back(round_of(*first, round));
  const auto second = Specimen::make(subject, facts, 7);
  for (std::int64_t round = 0; round < kRounds; ++round) {
    if (same(round_of(*second, round), wanted[static_cast<std::size_t>(round)])) continue;
    notes.fail(fmt::format("two objects of {} with the same seed gave different results in round {}, so no run with it "
                           "can be repeated",
                           subject.label(), round + 1),
               "take everything random from context.generator() (nbs::Draw for single numbers), not from the time, "
               "rand(), std::random_device or addresses, and keep nothing in static variables");
    return;
  }
  const auto third = Specimen::make(subject, facts, 7);
  const auto other = Specimen::make(subject, facts, 8);
  for (std::int64_t round = 0; round < kRounds; ++round) {
    round_of(*other, round + 3);
    if (same(round_of(*third, round), wanted[static_cast<std::size_t>(round)])) continue;
    notes.fail(fmt::format("an object of {} gave other results in round {} while another one was used, as it is where "
                           "predictors of folds are trained",
                           subject.label(), round + 1),
               "keep what belongs to an object in its members, not in static or global variables");
    return;
  }
}

}  // namespace nbs::plugin_test
