// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/config/pipeline.h"

namespace nbs::config {

/// What must hold between options that are each right by themselves.
void cross_check(const Document& document, const Pipeline& pipeline, std::vector<Problem>& problems);

}  // namespace nbs::config
