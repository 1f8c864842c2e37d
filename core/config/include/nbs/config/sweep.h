// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nbs/config/document.h"

namespace nbs::config {

/// One run of a sweep.
struct SweepCell {
  std::string label;  ///< "sampler.plugin=rl, seed=0"; empty for a file without [sweep]
  Document document;  ///< without [sweep]
};

/// The cells of [sweep]: the product of all lists in `grid`, combined with the lists in `zip` taken in step, without
/// those that match every entry of one of the tables in `exclude`. A file without [sweep] is one cell. Throws
/// DiagnosticsError.
std::vector<SweepCell> expand(const Document& document);

}  // namespace nbs::config
