// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/catalog.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/names.h"
#include "nbs/error.h"

namespace nbs::host {

namespace {

using Json = nlohmann::ordered_json;

Value value_from_json(const Json& json, ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return json.get<bool>();
    case ValueType::integer:
      return json.get<std::int64_t>();
    case ValueType::real:
      return json.get<double>();
    case ValueType::text:
      return json.get<std::string>();
    case ValueType::integers:
      return json.get<std::vector<std::int64_t>>();
    case ValueType::reals:
      return json.get<std::vector<double>>();
    case ValueType::texts:
      return json.get<std::vector<std::string>>();
  }
  throw Error("a catalog names a type of option that this version does not know");
}

ValueType type_from_name(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(ValueType::texts); ++i) {
    if (name == type_name(static_cast<ValueType>(i))) return static_cast<ValueType>(i);
  }
  throw Error(fmt::format("a catalog names the type \"{}\", which this version does not know", name));
}

OptionSpec spec_from_json(const Json& json) {
  OptionSpec spec;
  spec.name = json.at("name");
  spec.type = type_from_name(json.at("type"));
  spec.default_value = value_from_json(json.at("default"), spec.type);
  if (json.contains("minimum")) spec.minimum = json.at("minimum").get<double>();
  if (json.contains("maximum")) spec.maximum = json.at("maximum").get<double>();
  if (json.contains("choices")) spec.choices = json.at("choices").get<std::vector<std::string>>();
  if (json.contains("tuning")) spec.tuning = json.at("tuning").get<std::vector<double>>();
  if (json.contains("path")) spec.path = json.at("path").get<bool>();
  if (json.contains("former")) spec.former = json.at("former").get<std::vector<std::string>>();
  spec.doc = json.at("doc");
  return spec;
}

Kind kind_from_name(const std::string& name) {
  for (const Kind kind : kKinds) {
    if (name == kind_name(kind)) return kind;
  }
  throw Error(fmt::format("a catalog names the kind \"{}\", which this version does not know", name));
}

}  // namespace

namespace {

bool is_of(const PluginDescription& plugin, const std::string& library) {
  return library.empty() || plugin.file == library || std::filesystem::path(plugin.file).filename() == library;
}

// The first of each file's content.
std::vector<const PluginDescription*> matching(const Catalog& catalog, Kind kind, const std::string& name,
                                               const std::string& library) {
  std::vector<const PluginDescription*> found;
  for (const auto& plugin : catalog.plugins) {
    if (plugin.kind != kind || plugin.name != name || !is_of(plugin, library)) continue;
    const bool copy = std::any_of(found.begin(), found.end(), [&](const auto* other) {
      return !plugin.hash.empty() && other->hash == plugin.hash;
    });
    if (!copy) found.push_back(&plugin);
  }
  return found;
}

std::string files_of(const std::vector<const PluginDescription*>& plugins) {
  std::string text;
  for (const auto* plugin : plugins)
    text += "\n  " + plugin->file;
  return text;
}

// What tells the first of them from the others: the name of its file, if only it has that name.
std::string telling_name(const std::vector<const PluginDescription*>& plugins) {
  const auto name = std::filesystem::path(plugins.front()->file).filename().string();
  const auto same = std::count_if(plugins.begin(), plugins.end(), [&](const auto* plugin) {
    return std::filesystem::path(plugin->file).filename() == name;
  });
  return same == 1 ? name : plugins.front()->file;
}

}  // namespace

const PluginDescription* Catalog::find(Kind kind, const std::string& name, const std::string& library) const {
  const auto found = matching(*this, kind, name, library);
  return found.size() == 1 ? found.front() : nullptr;
}

std::string unknown_plugin(const Catalog& catalog, Kind kind, const std::string& name, const std::string& library) {
  const auto found = matching(catalog, kind, name, library);
  if (found.size() > 1) {
    return fmt::format(
        "{} libraries hold a {} \"{}\"; say beside plugin which one is meant, for example library = \"{}\":{}",
        found.size(), kind_name(kind), name, telling_name(found), files_of(found));
  }
  if (const auto elsewhere = matching(catalog, kind, name, ""); !elsewhere.empty()) {
    return fmt::format("no library \"{}\" holds a {} \"{}\"; it is in:{}", library, kind_name(kind), name,
                       files_of(elsewhere));
  }
  std::vector<std::string> names;
  for (const auto& plugin : catalog.plugins) {
    if (plugin.kind == kind && std::find(names.begin(), names.end(), plugin.name) == names.end())
      names.push_back(plugin.name);
  }
  std::string text = fmt::format("there is no {} \"{}\"{}", kind_name(kind), name, did_you_mean(name, names));
  if (!names.empty()) text += fmt::format("\n  known: {}", fmt::join(names, ", "));
  text += fmt::format("\n  searched: {}",
                      catalog.searched.empty() ? "no folder" : fmt::format("{}", fmt::join(catalog.searched, ", ")));
  for (const auto& refusal : catalog.refusals)
    text += fmt::format("\n  refused: {}", refusal.reason);
  return text;
}

Json to_json(const Value& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Json to_json(const OptionSpec& spec) {
  Json json;
  json["name"] = spec.name;
  json["type"] = type_name(spec.type);
  json["default"] = to_json(spec.default_value);
  if (spec.minimum) json["minimum"] = *spec.minimum;
  if (spec.maximum) json["maximum"] = *spec.maximum;
  if (!spec.choices.empty()) json["choices"] = spec.choices;
  if (!spec.tuning.empty()) json["tuning"] = spec.tuning;
  if (spec.path) json["path"] = true;
  if (!spec.former.empty()) json["former"] = spec.former;
  json["doc"] = spec.doc;
  return json;
}

Json to_json(const Catalog& catalog) {
  Json json;
  auto& plugins = json["plugins"] = Json::array();
  for (const auto& plugin : catalog.plugins) {
    Json entry;
    entry["kind"] = kind_name(plugin.kind);
    entry["name"] = plugin.name;
    entry["doc"] = plugin.doc;
    entry["library"] = plugin.library;
    entry["version"] = plugin.version;
    entry["file"] = plugin.file;
    entry["hash"] = plugin.hash;
    auto& options = entry["options"] = Json::array();
    for (const auto& spec : plugin.options)
      options.push_back(to_json(spec));
    plugins.push_back(std::move(entry));
  }
  auto& refusals = json["refusals"] = Json::array();
  for (const auto& refusal : catalog.refusals)
    refusals.push_back({{"file", refusal.file}, {"reason", refusal.reason}});
  json["warnings"] = catalog.warnings;
  json["searched"] = catalog.searched;
  return json;
}

Catalog catalog_from_json(const Json& json) {
  try {
    Catalog catalog;
    for (const auto& entry : json.at("plugins")) {
      PluginDescription plugin;
      plugin.kind = kind_from_name(entry.at("kind"));
      plugin.name = entry.at("name");
      plugin.doc = entry.at("doc");
      plugin.library = entry.at("library");
      plugin.version = entry.at("version");
      plugin.file = entry.at("file");
      plugin.hash = entry.at("hash");
      for (const auto& option : entry.at("options"))
        plugin.options.push_back(spec_from_json(option));
      catalog.plugins.push_back(std::move(plugin));
    }
    for (const auto& entry : json.at("refusals"))
      catalog.refusals.push_back({entry.at("file"), entry.at("reason")});
    catalog.warnings = json.at("warnings").get<std::vector<std::string>>();
    catalog.searched = json.at("searched").get<std::vector<std::string>>();
    return catalog;
  } catch (const nlohmann::json::exception& failure) {
    throw Error(fmt::format("the description of the plugins cannot be read: {}", failure.what()));
  }
}

}  // namespace nbs::host
