// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nbs/training/whole_images.h"

#include "labeled_maps.h"
#include "session.h"

namespace nbs::worker {

/// What tuning found for a chain of postprocessors.
struct Tuning {
  std::vector<OptionValues> values;  ///< of each link of the chain, in its order
  double before = 0;                 ///< best pooled F1 on the labeled images with the pipeline's own options
  double after = 0;                  ///< and with `values`
};

/// Picks the chain's options on the labeled images alone. Each link in turn tries every combination of the values that
/// its options name for tuning, behind the links already settled; the pipeline's own options win ties. `labeled`:
/// before postprocessing. `say` gets a line for every combination.
Tuning tune_postprocessors(Session& session, const std::vector<config::ComponentSpec>& chain,
                           const LabeledMaps& labeled, const training::WholeImages& images,
                           const std::function<void(const std::string&)>& say);

}  // namespace nbs::worker
