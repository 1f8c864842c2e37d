// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace nbs::host {

/// Why a shared library is not all there, or nothing: the dynamic linker maps what the file's headers promise, and a
/// file that was cut short then ends the process with a bus error. Files that are no libraries are left to the linker.
std::optional<std::string> refuse_cut_short(const std::filesystem::path& file);

}  // namespace nbs::host
