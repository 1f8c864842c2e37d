// SPDX-License-Identifier: Apache-2.0
// Level 7: what a plugin is given is as it was, byte for byte, also some calls later. The host counts LibTorch's
// writes; those through a plain pointer show only here, and at the end of a run.
#include <fmt/format.h>

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

void check_inputs(const Subject& subject, Notes& notes) {
  notes.tried("everything that it is given in three rounds, compared byte for byte");
  const auto facts = fitting_facts(subject);
  const auto specimen = Specimen::make(subject, facts, 3);
  for (std::int64_t round = 0; round < 3; ++round) {
    specimen->use(round);
    const auto what = specimen->written();
    if (what.empty()) continue;
    notes.fail(
        fmt::format("{} wrote into {} through a pointer, so others see what it has made of it", subject.label(), what),
        "write into a copy (clone())");
    return;
  }
}

}  // namespace nbs::plugin_test
