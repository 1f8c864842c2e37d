// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace nbs {

/// The user's folder for what can be made again: $XDG_CACHE_HOME/nbs, otherwise $HOME/.cache/nbs. Empty if the
/// environment names no place. It need not be there.
std::filesystem::path cache_folder();

/// How many bytes the disk of that folder can hold in all; infinite if that is not known.
double cache_capacity();

}  // namespace nbs
