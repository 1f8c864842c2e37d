// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nbs/plugin.h"

namespace nbs::host {

/// Why what a library registers must be refused, or nothing: no plugin at all, a name that no pipeline could choose
/// ("none", or with blanks, dots or nothing in it), one name twice, an option that no pipeline could set ("plugin",
/// "library"), one whose declaration contradicts itself, or a default that the option itself does not allow.
std::optional<std::string> refuse_registrations(const std::vector<Registration>& registrations);

}  // namespace nbs::host
