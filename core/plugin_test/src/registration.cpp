// SPDX-License-Identifier: Apache-2.0
// Level 1: the library was accepted (its record, its registration and its names), and an object can be made.
#include <fmt/format.h>
#include <torch/version.h>

#include "nbs/abi.h"

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

void check_registration(const Subject& subject, Notes& notes) {
  notes.tried(
      fmt::format("API {}.{}, LibTorch {}; an object with default options", kApiMajor, kApiMinor, TORCH_VERSION));
  const auto facts = fitting_facts(subject);
  Specimen::make(subject, facts, 1);
  notes.tried(fmt::format("API {}.{}, LibTorch {}; made for images of {} and patches of {} pixels", kApiMajor,
                          kApiMinor, TORCH_VERSION, facts.image_size, facts.patch_size));
  if (subject.plugin.doc.empty()) {
    notes.fail(fmt::format("{} has no line of documentation", subject.label()),
               "say in one line what it is, as the second argument of registrar.add()");
  }
}

}  // namespace nbs::plugin_test
