// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace nbs::host {

/// Why something called like a library is none that could be opened safely, or nothing: opening a pipe may wait for
/// ever, and reading a device may never end. Links are followed.
std::optional<std::string> refuse_irregular(const std::filesystem::path& file);

/// Why a shared library is not all there, or nothing: the dynamic linker maps what the file's headers promise, and a
/// file that was cut short then ends the process with a bus error. Files that are no libraries are left to the linker.
std::optional<std::string> refuse_cut_short(const std::filesystem::path& file);

}  // namespace nbs::host
