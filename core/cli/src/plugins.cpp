// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/names.h"
#include "nbs/base/print.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"

#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct Arguments {
  std::string name;
  bool json = false;
  std::vector<std::string> plugin_path;
};

// Names of files need not be UTF-8, which JSON is: what is not becomes the replacement character.
void print_json(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

// "1 to 4096", "at least 0", "one of "a", "b"" or "".
std::string range_text(const OptionSpec& option) {
  const auto number = [](double x) { return fmt::format("{:g}", x); };
  if (!option.choices.empty()) return fmt::format("one of \"{}\"", fmt::join(option.choices, "\", \""));
  if (option.minimum && option.maximum) return number(*option.minimum) + " to " + number(*option.maximum);
  if (option.minimum) return "at least " + number(*option.minimum);
  if (option.maximum) return "at most " + number(*option.maximum);
  return "";
}

void print_options(const std::vector<OptionSpec>& options) {
  for (const auto& option : options) {
    fmt::print("  {} ({}", option.name, type_name(option.type));
    if (const auto range = range_text(option); !range.empty()) fmt::print(", {}", range);
    fmt::print(")  default {}\n      {}\n", to_text(option.default_value), option.doc);
  }
}

void print_plugin(const host::PluginDescription& plugin) {
  fmt::print("{} \"{}\": {}\nfrom {} {}, {}\n", kind_name(plugin.kind), plugin.name, plugin.doc, plugin.library,
             plugin.version, plugin.file);
  if (plugin.options.empty()) fmt::print("It has no options.\n");
  print_options(plugin.options);
}

void print_all(const host::Catalog& catalog) {
  std::size_t width = 4;
  for (const auto& plugin : catalog.plugins)
    width = std::max(width, plugin.name.size());
  for (const Kind kind : {Kind::sampler, Kind::autoencoder, Kind::predictor, Kind::postprocessor}) {
    fmt::print("{}\n", kind_name(kind));
    for (const auto& plugin : catalog.plugins) {
      if (plugin.kind == kind)
        fmt::print("  {:<{}}  {}\n  {:<{}}  {} {}, {}\n", plugin.name, width, plugin.doc, "", width, plugin.library,
                   plugin.version, plugin.file);
    }
  }
}

int show(const Arguments& arguments) {
  const auto catalog = find_plugins(arguments.plugin_path);
  for (const auto& refusal : catalog.refusals)
    say(fmt::format("refused: {}", refusal.reason));
  for (const auto& warning : catalog.warnings)
    say(fmt::format("warning: {}", warning));
  if (arguments.name.empty()) {
    if (arguments.json) {
      print_json(host::to_json(catalog));
    } else {
      print_all(catalog);
    }
    return kGood;
  }
  host::Catalog chosen;
  std::vector<std::string> names;
  for (const auto& plugin : catalog.plugins) {
    names.push_back(plugin.name);
    if (plugin.name == arguments.name) chosen.plugins.push_back(plugin);
  }
  if (chosen.plugins.empty()) {
    std::string searched;
    for (const auto& folder : catalog.searched)
      searched += "\n  " + folder;
    throw Error(fmt::format("there is no plugin \"{}\"{}; searched:{}", arguments.name,
                            did_you_mean(arguments.name, names), searched));
  }
  if (arguments.json) {
    print_json(host::to_json(chosen));
  } else {
    for (const auto& plugin : chosen.plugins)
      print_plugin(plugin);
  }
  return kGood;
}

}  // namespace

void add_plugins(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("plugins", "List plugins; with a NAME, all of its options");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("NAME", arguments->name, "Plugin to describe");
  command->add_flag("--json", arguments->json, "As JSON, for scripts");
  command->add_option("--plugin-path", arguments->plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
  command->footer("Example: nbs plugins rl");
  command->callback([arguments, &action] { action = [arguments] { return show(*arguments); }; });
}

void add_options(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("options", "The host's own sections of a pipeline file, with all options");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "As JSON, for scripts");
  command->callback([json, &action] {
    action = [json] {
      nlohmann::ordered_json all;
      for (const auto& [section, specs] : config::section_specs()) {
        if (*json) {
          auto& list = all[section] = nlohmann::ordered_json::array();
          for (const auto& spec : specs)
            list.push_back(host::to_json(spec));
        } else {
          fmt::print("[{}]\n", section);
          print_options(specs);
        }
      }
      if (*json) print_json(all);
      return static_cast<int>(kGood);
    };
  });
}

}  // namespace nbs::cli
