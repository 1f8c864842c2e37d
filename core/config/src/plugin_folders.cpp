// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "nbs/config/pipeline.h"

#include "text.h"

namespace nbs::config {

std::optional<std::string> refuse_plugin_folder(const std::string& folder) {
  if (folder.empty()) return "is empty; name a folder of plugins, or leave it out";
  if (!is_utf8(folder) || folder.find('\0') != std::string::npos)
    return fmt::format("\"{}\" is not UTF-8, which the resolved pipeline file is; rename the folder",
                       shown(folder, 200));
  std::error_code failed;
  const auto status = std::filesystem::status(folder, failed);
  if (std::filesystem::is_directory(status)) return std::nullopt;
  return fmt::format("\"{}\" {}; check the name, or leave it out", folder,
                     std::filesystem::exists(status) ? "is no folder" : "does not exist");
}

std::vector<std::string> plugin_path_of(const Node& list) {
  std::vector<std::string> folders;
  for (const auto& item : list.array) {
    if (const auto* text = std::get_if<std::string>(&item.scalar)) folders.push_back(anchored(*text, item.place));
  }
  return folders;
}

std::vector<std::string> plugin_path_of(const Document& document) {
  const Node* const node = document.root().find("plugin_path");
  return node == nullptr ? std::vector<std::string>{} : plugin_path_of(*node);
}

std::vector<Problem> check_plugin_path(const Document& document) {
  std::vector<Problem> problems;
  const Node* const node = document.root().find("plugin_path");
  if (node == nullptr) return problems;
  for (const auto& item : node->array) {
    const auto* const text = std::get_if<std::string>(&item.scalar);
    if (text == nullptr) continue;  // resolve() says so
    if (const auto problem = refuse_plugin_folder(anchored(*text, item.place)))
      problems.push_back({item.place, "the folder of plugin_path " + *problem});
  }
  return problems;
}

}  // namespace nbs::config
