// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nbs::data {

/// The image files (by extension, any case) directly in `folder`, sorted by name. Throws nbs::Error if the folder is
/// missing, or if it holds no image; `what` names it in the sentence ("the images of the data set").
std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder, const std::string& what);

/// The image files in `folder`, sorted; none if there is no such folder.
std::vector<std::filesystem::path> image_files_if_any(const std::filesystem::path& folder);

/// The file for `stem` among `files` (with `suffix` after the stem), or an empty path.
std::filesystem::path with_stem(const std::vector<std::filesystem::path>& files, const std::string& stem,
                                const std::string& suffix = "");

}  // namespace nbs::data
