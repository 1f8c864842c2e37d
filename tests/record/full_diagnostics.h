// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/record/diagnostics.h"

namespace nbs::test {

// Everything that explains a run, each number another one, none with more than six digits.
inline record::Diagnostics full_diagnostics() {
  record::Diagnostics all;
  all.labeled_profile = {{21, {{0.5, 0.25, 0.375, 0.625}, {0.75, 0.3, 0.4, 0.65}}},
                         {22, {{0.05, 0.01, 0.02, 0.03}, {0.06, 0.015, 0.025, 0.035}}}};
  all.scored_profile = {{23, {{0.7, 0.1, 0.2, 0.8}}}, {0, {}}};
  record::SampledPlaces places;
  places.side = 2;
  places.learns = true;
  places.phases = {{record::SamplingPhase::cloning,
                    30,
                    {"", 64, {0.1, 0.2, 0.3, 0.4}},
                    {{"bro<ken_001", 8, {0.11, 0.12, 0.13, 0.9}}}},
                   {record::SamplingPhase::after_cloning, 31, {"", 65, {0.5, 0.6, 0.7, 0.8}}, {}}};
  all.sampled = places;
  all.curve = {{{0.9, 1, 0.125}, {0.5, 0.625, 0.5}, {0, 0.03125, 1}}, {0.5, 0.625, 0.5}, {0.45, 0.61, 0.55}};
  return all;
}

}  // namespace nbs::test
