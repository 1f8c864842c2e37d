// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nbs/config/pipeline.h"

namespace nbs::config {

/// What must hold between options that are each right by themselves. `place_of` gives the place of "section.option".
void cross_check(const Pipeline& pipeline, const std::function<Place(const std::string&)>& place_of,
                 std::vector<Problem>& problems);

}  // namespace nbs::config
