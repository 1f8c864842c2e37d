// SPDX-License-Identifier: Apache-2.0
#include "target.h"

namespace nbs::fuzz {

std::vector<Target> targets() {
  return {toml_target(), override_target(), npy_target(),    image_target(),
          mat_target(),  metrics_target(),  result_target(), diagnostics_target()};
}

}  // namespace nbs::fuzz
