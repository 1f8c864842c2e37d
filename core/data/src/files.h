// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nbs::data {

/// Whether `path` is a folder; false if nothing is there. Throws nbs::Error if it is something else, a link to nowhere,
/// or cannot be reached: what a data set keeps there would be left out without a word.
bool is_folder(const std::filesystem::path& path);

/// Throws nbs::Error that says why, if `file` is no regular file that may be read.
void require_readable(const std::filesystem::path& file);

/// Whether the path's extension is that of an image, in any case.
bool has_image_name(const std::filesystem::path& path);

/// Everything directly in `folder` with an image's extension, sorted by name, be it a file or not; none if there is no
/// such folder. Throws nbs::Error if the folder cannot be read.
std::vector<std::filesystem::path> image_entries(const std::filesystem::path& folder);

/// The image files directly in `folder`, sorted by name. Throws nbs::Error if the folder is missing, or if it holds no
/// image, or as image_files_if_any(); `what` names it in the sentence ("the images of the data set").
std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder, const std::string& what);

/// The image files in `folder`, sorted; none if there is no such folder. Throws nbs::Error that names it if something
/// has an image's name and is no file that may be read: leaving it out would change the split without a word.
std::vector<std::filesystem::path> image_files_if_any(const std::filesystem::path& folder);

/// The file for `stem` among `files` (with `suffix` after the stem), or an empty path. Throws nbs::Error that names
/// both if there are two.
std::filesystem::path with_stem(const std::vector<std::filesystem::path>& files, const std::string& stem,
                                const std::string& suffix = "");

/// The same for a mask, which may not be JPEG: see refuse_jpeg_mask().
std::filesystem::path mask_with_stem(const std::vector<std::filesystem::path>& files, const std::string& stem,
                                     const std::string& suffix = "");

/// Throws nbs::Error: around edges JPEG leaves grey pixels, all of which would count as anomalous.
[[noreturn]] void refuse_jpeg_mask(const std::filesystem::path& file);

}  // namespace nbs::data
