// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nbs::config {

/// Refuses TOML whose keys have too many parts or whose lists and tables are nested too deeply, before the parser sees
/// it: trees are built, copied and freed by recursion, which such a text would drive over the end of the stack. Throws
/// ProblemsError with the place.
void refuse_depth(const std::string& text, const std::string& name);

}  // namespace nbs::config
