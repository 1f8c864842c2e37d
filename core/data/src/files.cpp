// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs::data {

std::vector<std::filesystem::path> image_files_if_any(const std::filesystem::path& folder) {
  static constexpr std::array<const char*, 11> kExtensions = {".png",  ".jpg", ".jpeg", ".tif", ".tiff", ".bmp",
                                                              ".webp", ".pgm", ".ppm",  ".pbm", ".jp2"};
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::string extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool known = std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
    if (known && entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder, const std::string& what) {
  if (!std::filesystem::is_directory(folder)) {
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

std::filesystem::path with_stem(const std::vector<std::filesystem::path>& files, const std::string& stem,
                                const std::string& suffix) {
  for (const auto& file : files) {
    if (file.stem().string() == stem + suffix) return file;
  }
  return {};
}

}  // namespace nbs::data
