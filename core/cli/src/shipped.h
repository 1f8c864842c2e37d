// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nbs::cli {

/// A file of the pipelines that nbs comes with: in the package, or in the source tree while building. `what` says what
/// it is for. Throws nbs::Error with both places if it is in neither.
std::filesystem::path shipped_file(const std::string& name, const std::string& what);

/// The pipelines that `nbs choose` tries by itself, sorted.
std::vector<std::string> shipped_candidates();

}  // namespace nbs::cli
