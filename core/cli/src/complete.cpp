// SPDX-License-Identifier: Apache-2.0
#include "complete.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/config/pipeline.h"

#include "command_words.h"
#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

using CatalogOf = std::function<host::Catalog(const std::vector<std::string>& plugin_path)>;

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

const CLI::Option* option_with(const CLI::App& command, const std::string& flag) {
  for (const auto* const option : options_of(command)) {
    const auto flags = flags_of(*option);
    if (std::find(flags.begin(), flags.end(), flag) != flags.end()) return option;
  }
  return nullptr;
}

// What was typed before the word that is wanted.
struct Typed {
  const CLI::App* command = nullptr;    // the innermost
  std::vector<std::string> plain;       // words of it that are neither flags nor their values
  const CLI::Option* awaits = nullptr;  // the option whose value the wanted word is
  std::vector<std::string> overrides;
  std::vector<std::string> plugin_path;
};

void take_value(const std::string& flag, const std::string& value, Typed& typed) {
  if (flag == "--set") typed.overrides.push_back(value);
  if (flag == "--plugin-path") typed.plugin_path.push_back(value);
}

Typed read(const CLI::App& app, const std::vector<std::string>& words) {
  Typed typed;
  typed.command = &app;
  std::string flag;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto& word = words[i];
    if (typed.awaits != nullptr) {
      take_value(flag, word, typed);
      typed.awaits = nullptr;
    } else if (starts_with(word, "-")) {
      const auto equals = word.find('=');
      flag = word.substr(0, equals);
      const auto* const option = option_with(*typed.command, flag);
      if (equals != std::string::npos) {
        take_value(flag, word.substr(equals + 1), typed);
      } else if (option != nullptr && takes_value(*option)) {
        typed.awaits = option;
      }
    } else {
      const auto inner = commands_of(*typed.command);
      const auto at = std::find_if(inner.begin(), inner.end(), [&](const auto* c) { return c->get_name() == word; });
      if (at != inner.end()) {
        typed.command = *at;
      } else {
        typed.plain.push_back(word);
      }
    }
  }
  return typed;
}

std::vector<std::string> names_of(const host::Catalog& catalog, std::optional<Kind> kind) {
  std::vector<std::string> names;
  for (const auto& plugin : catalog.plugins) {
    if (!kind || plugin.kind == *kind) names.push_back(plugin.name);
  }
  return names;
}

// The plugin that --set names for a section, "" if none does.
std::string chosen_plugin(const Typed& typed, const std::string& section) {
  const auto start = section + ".plugin=";
  for (const auto& text : typed.overrides) {
    if (starts_with(text, start)) return text.substr(start.size());
  }
  return "";
}

// "section." and the options behind it.
struct SetSection {
  std::string start;
  std::vector<OptionSpec> options;
  std::optional<Kind> kind;  // of the plugins that may be chosen in it
};

std::vector<SetSection> sections_of(const Typed& typed, const host::Catalog& catalog) {
  std::vector<SetSection> sections;
  for (const auto& [name, specs] : config::section_specs())
    sections.push_back({name + ".", specs, std::nullopt});
  const config::Pipeline none;
  config::visit_component_sections(none, [&](Kind kind, const std::string& name, const auto& member) {
    // Of a list of components the first: others are rarely changed on the command line.
    const bool list = starts_with(config::header_of(name, member), "[[");
    const auto section = list ? name + ".0" : name;
    const auto chosen = chosen_plugin(typed, section);
    SetSection plugins{section + ".", {}, kind};
    for (const auto& plugin : catalog.plugins) {
      if (plugin.kind == kind && (chosen.empty() || chosen == plugin.name))
        plugins.options.insert(plugins.options.end(), plugin.options.begin(), plugin.options.end());
    }
    sections.push_back(std::move(plugins));
  });
  return sections;
}

std::vector<std::string> values_of(const OptionSpec& option) {
  if (!option.choices.empty()) return option.choices;
  if (option.type == ValueType::boolean) return {"true", "false"};
  return {to_text(option.default_value)};
}

// Behind --set: "a.b=" for every option, and values behind the "=".
std::vector<std::string> overrides_for(const std::string& word, const Typed& typed, const host::Catalog& catalog) {
  std::vector<std::string> found;
  const bool value = word.find('=') != std::string::npos;
  for (const auto& section : sections_of(typed, catalog)) {
    if (section.kind) {
      if (!value) found.push_back(section.start + "plugin=");
      for (const auto& name : value ? names_of(catalog, section.kind) : std::vector<std::string>())
        found.push_back(section.start + "plugin=" + name);
    }
    for (const auto& option : section.options) {
      const auto name = section.start + option.name + "=";
      if (!value) found.push_back(name);
      if (value && starts_with(word, name)) {
        for (const auto& text : values_of(option))
          found.push_back(name + text);
      }
    }
  }
  if (!value) found.insert(found.end(), {"name=", "seed="});
  return found;
}

// For `nbs postproc PLUGIN --set`: the options of that plugin, without a section.
std::vector<std::string> options_for(const std::string& plugin, const std::string& word, const host::Catalog& catalog) {
  std::vector<std::string> found;
  const auto* const description = catalog.find(Kind::postprocessor, plugin);
  if (description == nullptr) return found;
  for (const auto& option : description->options) {
    const auto name = option.name + "=";
    if (!starts_with(word, name)) {
      found.push_back(name);
      continue;
    }
    for (const auto& text : values_of(option))
      found.push_back(name + text);
  }
  return found;
}

// The values of an option, or what a plain word may be.
std::vector<std::string> words_for(const Typed& typed, const std::string& word, const CatalogOf& catalog_of) {
  const auto catalog = [&] { return catalog_of(typed.plugin_path); };
  const auto command = typed.command->get_name();
  if (typed.awaits != nullptr) {
    const auto flags = flags_of(*typed.awaits);
    if (flags.back() == "--set") {
      if (command != "postproc") return overrides_for(word, typed, catalog());
      return typed.plain.empty() ? std::vector<std::string>() : options_for(typed.plain.front(), word, catalog());
    }
    if (flags.back() == "--plugin") return names_of(catalog(), Kind::postprocessor);
    return choices_of(*typed.awaits);
  }
  std::vector<std::string> found;
  for (const auto* const inner : commands_of(*typed.command))
    found.push_back(inner->get_name());
  if (!found.empty()) return found;
  if (command == "plugins" || command == "reference") return names_of(catalog(), std::nullopt);
  if (command == "postproc" && typed.plain.empty()) return names_of(catalog(), Kind::postprocessor);
  return {};
}

}  // namespace

std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words,
                                     const CatalogOf& catalog) {
  if (words.empty()) return {};
  auto typed = read(app, words);
  std::vector<std::string> found;
  auto word = words.back();
  std::string flag;
  if (typed.awaits == nullptr && starts_with(word, "-")) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      for (const auto* const option : options_of(*typed.command)) {
        for (const auto& name : flags_of(*option))
          found.push_back(name);
      }
    } else {  // --format=…
      flag = word.substr(0, equals + 1);
      word = word.substr(equals + 1);
      typed.awaits = option_with(*typed.command, flag.substr(0, equals));
      if (typed.awaits != nullptr) found = words_for(typed, word, catalog);
    }
  } else {
    found = words_for(typed, word, catalog);
  }
  found.erase(std::remove_if(found.begin(), found.end(), [&](const auto& text) { return !starts_with(text, word); }),
              found.end());
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (auto& text : found)
    text.insert(0, flag);
  return found;
}

void add_complete(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("complete", "What may come next in a command line, for the shells");
  command->group("");  // not for people
  const auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("WORD", *words, "Words behind nbs; the last one is completed");
  command->callback([&app, words, &action] {
    action = [&app, words] {
      const auto catalog = [](const std::vector<std::string>& plugin_path) { return find_plugins(plugin_path); };
      for (const auto& text : completions(app, *words, catalog))
        fmt::print("{}\n", text);
      return static_cast<int>(kGood);
    };
  });
}

}  // namespace nbs::cli
