// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/component_facts.h"

#include <filesystem>
#include <string>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/cache_folder.h"
#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/host/search_path.h"
#include "nbs/launch/catalog_cache.h"
#include "nbs/launch/worker_process.h"

namespace nbs::launch {

namespace {

using Json = nlohmann::json;  // looked up by key

config::ComponentFacts facts_from_json(const Json& json) {
  config::ComponentFacts facts;
  facts.needs_profile = json.at("needs_profile");
  facts.learns = json.at("learns");
  for (const auto& refusal : json.at("refusals"))
    facts.refusals.push_back({refusal.at("section"), refusal.at("index"), refusal.at("reason")});
  return facts;
}

// What may lie in a file that an option names: whether it is there, how large it is, and when it was written.
void add_files(const config::Node& node, std::string& text) {
  for (const auto& [key, child] : node.table)
    add_files(child, text);
  for (const auto& child : node.array)
    add_files(child, text);
  const auto* const name = std::get_if<std::string>(&node.scalar);
  if (node.type != config::Node::Type::scalar || name == nullptr || name->empty() || name->front() != '/') return;
  std::error_code failed;
  const auto size = std::filesystem::file_size(*name, failed);
  const auto time = std::filesystem::last_write_time(*name, failed).time_since_epoch().count();
  text += failed ? fmt::format("{} is no file\n", *name) : fmt::format("{} {} {}\n", *name, size, time);
}

// The key of a text: it changes with the text, with the plugins that it is read with, and with the files that its
// options name (path options are absolute there).
std::string key_of(const std::string& text) {
  const auto document = config::Document::from_text(text, "components.toml");
  const auto folders = config::plugin_path_of(document);
  std::string files;
  add_files(document.root(), files);
  return sha256(catalog_key(host::plugin_search_path({}, folders), worker_program()) + files + text);
}

// Facts by key; a damaged file is made again.
Json read_cache(const std::filesystem::path& file) {
  try {
    auto json = Json::parse(read_file(file));
    for (const auto& item : json.items())
      facts_from_json(item.value());
    return json.is_object() ? json : Json::object();
  } catch (const std::exception&) {
    return Json::object();
  }
}

}  // namespace

std::vector<config::ComponentFacts> component_facts(const std::vector<std::string>& pipelines) {
  const auto folder = cache_folder();
  const auto file = folder.empty() ? folder : folder / "components.json";
  Json known = file.empty() ? Json::object() : read_cache(file);
  std::vector<std::string> keys;
  std::vector<std::string> missing;
  std::vector<std::size_t> missing_at;
  for (const auto& text : pipelines) {
    keys.push_back(key_of(text));
    if (known.contains(keys.back())) continue;
    missing_at.push_back(keys.size() - 1);
    missing.push_back(text);
  }
  Json fresh = Json::object();
  if (!missing.empty()) {
    const TemporaryFile request("components", Json(missing).dump());
    try {
      const auto answer = Json::parse(worker_output({"components", request.path().string()}));
      for (std::size_t i = 0; i < missing.size(); ++i)
        fresh[keys[missing_at[i]]] = answer.at(i);
    } catch (const nlohmann::json::exception& failure) {
      throw Error(fmt::format("the worker's answer about the components cannot be read: {}", failure.what()));
    }
  }
  std::vector<config::ComponentFacts> all;
  try {
    for (const auto& key : keys)
      all.push_back(facts_from_json(fresh.contains(key) ? fresh.at(key) : known.at(key)));
  } catch (const nlohmann::json::exception& failure) {
    throw Error(fmt::format("the worker's answer about the components cannot be read: {}", failure.what()));
  }
  // What was refused is tried again: the reason may lie outside of the plugins.
  constexpr std::size_t kMostKept = 10000;
  bool changed = false;
  if (known.size() + fresh.size() > kMostKept) known = Json::object();
  for (const auto& item : fresh.items()) {
    if (!item.value().at("refusals").empty() || known.size() >= kMostKept) continue;
    known[item.key()] = item.value();
    changed = true;
  }
  if (changed && !file.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    try {
      write_file(file, known.dump());
    } catch (const std::exception&) {
      // Without a cache everything still works, only slower.
    }
  }
  return all;
}

}  // namespace nbs::launch
