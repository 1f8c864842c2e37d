// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include <fmt/format.h>

#include "nbs/base/hash.h"
#include "nbs/config/pipeline.h"
#include "nbs/host/search_path.h"

namespace nbs::config {

namespace {

// Values as TOML; texts need their special characters escaped.
std::string toml_text(const Value& value) {
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        out += c;
      }
    }
    return out + '"';
  };
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    std::string out = "[";
    for (std::size_t i = 0; i < texts->size(); ++i)
      out += (i > 0 ? ", " : "") + quoted((*texts)[i]);
    return out + "]";
  }
  return to_text(value);
}

void write_values(std::string& out, const OptionValues& values) {
  for (const auto& [name, value] : values)
    out += fmt::format("{} = {}\n", name, toml_text(value));
}

}  // namespace

std::string table_toml(const OptionValues& values) {
  std::string out;
  write_values(out, values);
  return out;
}

std::string component_toml(const std::string& header, const ComponentSpec& spec) {
  std::string out = fmt::format("\n{}\nplugin = {}\n", header, toml_text(spec.plugin));
  if (!spec.library.empty()) out += fmt::format("library = {}\n", toml_text(spec.library));
  write_values(out, spec.values);
  return out;
}

std::string to_toml(const Pipeline& pipeline) {
  std::string out = fmt::format("name = {}\nseed = {}\n", toml_text(pipeline.name), pipeline.seed);
  if (!pipeline.plugin_path.empty()) out += fmt::format("plugin_path = {}\n", toml_text(Value{pipeline.plugin_path}));
  visit_sections(pipeline, [&](const char* name, const auto& section) {
    out += fmt::format("\n[{}]\n", name);
    write_values(out, section.values);
  });
  visit_components(pipeline, [&](Kind, const std::string& header, const ComponentSpec& spec) {
    out += component_toml(header, spec);
  });
  return out;
}

bool changes_results(const std::string& section, const std::string& option) {
  const bool where_images_are = section == "data" && option == "memory";
  return !where_images_are && (section != "train" || option != "checkpoint_minutes");
}

std::string identity_of(const std::string& resolved_text) {
  std::string identity;
  std::string section;
  std::istringstream lines(resolved_text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() == '[') section = line.substr(1, line.find(']') - 1);
    if (changes_results(section, line.substr(0, line.find(" = ")))) identity += line + '\n';
  }
  return identity;
}

std::string components_toml(const Pipeline& pipeline) {
  std::string out = "name = \"components\"\n";
  if (!pipeline.plugin_path.empty()) out += fmt::format("plugin_path = {}\n", toml_text(Value{pipeline.plugin_path}));
  out += fmt::format("\n[data]\nimage_size = {}\n\n[profile]\npatch_size = {}\nlength = {}\n",
                     pipeline.data.options.image_size, pipeline.profile.options.patch_size,
                     pipeline.profile.options.length);
  visit_components(pipeline, [&](Kind, const std::string& header, const ComponentSpec& spec) {
    out += component_toml(header, spec);
  });
  return out;
}

std::string short_hash(const Pipeline& pipeline) {
  return sha256(identity_of(to_toml(pipeline))).substr(0, 8);
}

std::vector<std::pair<std::string, std::vector<OptionSpec>>> section_specs() {
  std::vector<std::pair<std::string, std::vector<OptionSpec>>> specs;
  const Pipeline pipeline;
  visit_sections(pipeline, [&](const char* name, const auto& section) {
    using Options = std::decay_t<decltype(section.options)>;
    specs.emplace_back(name, schema_of<Options>().specs());
  });
  return specs;
}

}  // namespace nbs::config
