// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/catalog_cache.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/cache_folder.h"
#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/host/search_path.h"
#include "nbs/launch/worker_process.h"

namespace nbs::launch {

namespace {

std::string stamp(const std::filesystem::path& file) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file, failed);
  const auto time = std::filesystem::last_write_time(file, failed).time_since_epoch().count();
  return fmt::format("{} {} {}\n", file.string(), size, time);
}

}  // namespace

std::string catalog_key(const std::vector<std::filesystem::path>& folders, const std::filesystem::path& worker) {
  std::string key = stamp(worker);
  for (const auto& folder : folders) {
    key += folder.string() + ":\n";
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
      key += stamp(file);
  }
  return key;
}

host::Catalog plugin_catalog(const std::vector<std::filesystem::path>& folders) {
  const auto key = catalog_key(folders, worker_program());
  const auto cache = cache_folder();
  const auto file = cache.empty() ? cache : cache / fmt::format("plugins-{}.json", sha256(key).substr(0, 16));
  if (!file.empty() && std::filesystem::is_regular_file(file)) {
    try {
      const auto json = nlohmann::ordered_json::parse(read_file(file));
      if (json.at("key") == key) return host::catalog_from_json(json.at("catalog"));
    } catch (const std::exception&) {
      // A damaged cache is made again.
    }
  }
  std::vector<std::string> arguments = {"describe"};
  for (const auto& folder : folders)
    arguments.push_back(folder.string());
  nlohmann::ordered_json json;
  try {
    json = nlohmann::ordered_json::parse(worker_output(arguments));
  } catch (const nlohmann::json::exception& failure) {
    throw Error(fmt::format("the worker's description of the plugins cannot be read: {}", failure.what()));
  }
  auto catalog = host::catalog_from_json(json);
  // What was refused is looked at again: the reason may lie outside of the library, such as one that it needs.
  if (!file.empty() && catalog.refusals.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(cache, ignored);
    try {
      write_file(file, nlohmann::ordered_json{{"key", key}, {"catalog", json}}.dump());
    } catch (const std::exception&) {
      // A full disk, or a folder whose name is no UTF-8 and so no JSON. Without a cache everything still works, only
      // slower.
    }
  }
  return catalog;
}

}  // namespace nbs::launch
