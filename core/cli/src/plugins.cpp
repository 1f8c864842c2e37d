// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/names.h"
#include "nbs/base/print.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"

#include "commands.h"
#include "option_text.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct PluginsArguments {
  std::string name;
  bool json = false;
  std::vector<std::string> plugin_path;
};

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
  for (const Kind kind : kKinds) {
    fmt::print("{}\n", kind_name(kind));
    for (const auto& plugin : catalog.plugins) {
      if (plugin.kind == kind)
        fmt::print("  {:<{}}  {}\n  {:<{}}  {} {}, {}\n", plugin.name, width, plugin.doc, "", width, plugin.library,
                   plugin.version, plugin.file);
    }
  }
}

int show(const PluginsArguments& arguments) {
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
  const auto arguments = std::make_shared<PluginsArguments>();
  command->add_option("NAME", arguments->name, "Plugin to describe");
  command->add_flag("--json", arguments->json, "As JSON, for scripts");
  command->add_option("--plugin-path", arguments->plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
  command->footer("Example: nbs plugins rl");
  command->callback([arguments, &action] { action = [arguments] { return show(*arguments); }; });
}

}  // namespace nbs::cli
