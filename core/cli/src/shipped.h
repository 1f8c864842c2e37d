// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nbs::cli {

/// A file or folder that nbs comes with, such as "templates": in the package, or in the source tree while building.
/// `what` says what it holds, `package` which Debian package it is in. Throws nbs::Error with both places if it is in
/// neither.
std::filesystem::path shipped(const std::string& name, const std::string& what, const std::string& package = "nbs");

/// The pipelines that `nbs choose` tries by itself, sorted.
std::vector<std::string> shipped_candidates();

}  // namespace nbs::cli
