// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "nbs/error.h"

namespace nbs::data {

namespace {

namespace fs = std::filesystem;

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

// What `path` leads to. Throws nbs::Error if it cannot be reached, or is a link to nowhere.
fs::file_type type_of(const fs::path& path) {
  std::error_code failed;
  const auto type = fs::status(path, failed).type();
  if (type == fs::file_type::not_found) {
    std::error_code ignored;
    const auto target = fs::read_symlink(path, ignored);
    if (target.empty()) return type;
    throw Error(
        fmt::format("{} is a link to {}, which does not exist; repair or remove it", path.string(), target.string()));
  }
  // A loop of links, or a folder on the way that may not be entered.
  if (type == fs::file_type::none || type == fs::file_type::unknown)
    throw Error(fmt::format("{} cannot be reached: {}; repair or remove it", path.string(), failed.message()));
  return type;
}

const char* kind_of(fs::file_type type) {
  switch (type) {
    case fs::file_type::directory:
      return "a folder";
    case fs::file_type::regular:
      return "a file";
    default:
      return "a device, pipe or socket";
  }
}

}  // namespace

bool is_folder(const fs::path& path) {
  const auto type = type_of(path);
  if (type == fs::file_type::not_found) return false;
  if (type == fs::file_type::directory) return true;
  throw Error(fmt::format("{} should be a folder, but is {}; rename or remove it", path.string(), kind_of(type)));
}

void require_readable(const fs::path& file) {
  const auto type = type_of(file);
  if (type == fs::file_type::not_found) throw Error(fmt::format("the file {} does not exist", file.string()));
  if (type != fs::file_type::regular) {
    throw Error(fmt::format("{} has the name of a file of the data set, but is {}; rename or remove it", file.string(),
                            kind_of(type)));
  }
  if (access(file.c_str(), R_OK) != 0)
    throw Error(fmt::format("the file {} may not be read: {}; change its permissions, or remove it", file.string(),
                            std::strerror(errno)));
}

bool has_image_name(const fs::path& path) {
  static constexpr std::array<const char*, 11> kExtensions = {".png",  ".jpg", ".jpeg", ".tif", ".tiff", ".bmp",
                                                              ".webp", ".pgm", ".ppm",  ".pbm", ".jp2"};
  return std::find(kExtensions.begin(), kExtensions.end(), lower_extension(path)) != kExtensions.end();
}

std::vector<fs::path> image_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  if (!is_folder(folder)) return entries;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed); !failed && at != fs::directory_iterator(); at.increment(failed)) {
    const bool is_hidden = at->path().filename().string().front() == '.';  // "._photo.jpg" is none
    if (!is_hidden && has_image_name(at->path())) entries.push_back(at->path());
  }
  if (failed) throw Error(fmt::format("the folder {} cannot be read: {}", folder.string(), failed.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<fs::path> image_files_if_any(const fs::path& folder) {
  auto files = image_entries(folder);
  for (const auto& file : files)
    require_readable(file);
  return files;
}

std::vector<fs::path> image_files(const fs::path& folder, const std::string& what) {
  if (!is_folder(folder)) {
    throw Error(fmt::format("{} should be in the folder {}, which does not exist; check data.root and data.format",
                            what, folder.string()));
  }
  auto files = image_files_if_any(folder);
  if (files.empty()) {
    throw Error(
        fmt::format("{} should be in the folder {}, but no image file is there; check data.root and data.format", what,
                    folder.string()));
  }
  return files;
}

fs::path with_stem(const std::vector<fs::path>& files, const std::string& stem, const std::string& suffix) {
  fs::path found;
  for (const auto& file : files) {
    if (file.stem().string() != stem + suffix) continue;
    if (!found.empty()) {
      throw Error(fmt::format("{} and {} have one name, so it cannot be told which is meant; remove one of them",
                              found.string(), file.string()));
    }
    found = file;
  }
  return found;
}

fs::path mask_with_stem(const std::vector<fs::path>& files, const std::string& stem, const std::string& suffix) {
  auto mask = with_stem(files, stem, suffix);
  const auto extension = lower_extension(mask);
  if (extension == ".jpg" || extension == ".jpeg") refuse_jpeg_mask(mask);
  return mask;
}

void refuse_jpeg_mask(const fs::path& file) {
  throw Error(fmt::format(
      "the mask {} is a JPEG file: its compression leaves gray pixels around edges, and every pixel that is "
      "not black would count as anomalous; threshold it at half of its range and save it as PNG",
      file.string()));
}

}  // namespace nbs::data
