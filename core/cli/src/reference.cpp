// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/names.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/record/provenance.h"

#include "command_words.h"
#include "commands.h"
#include "manual_page.h"
#include "option_text.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct ReferenceArguments {
  std::vector<std::string> plugins;
  std::string format = "markdown";
  std::string out;
  std::vector<std::string> plugin_path;
};

// "TEXT", "INT in [1 - 1024]", "native, model".
std::string values_of(const CLI::Option& option) {
  if (!takes_value(option)) return "";
  if (const auto choices = choices_of(option); !choices.empty()) return fmt::format("{}", fmt::join(choices, ", "));
  const auto type = option.get_type_name();
  const auto check = type.find(':');
  return check == std::string::npos ? type : type.substr(check + 1);
}

ManualEntry entry_of(const CLI::Option& option) {
  const auto flags = flags_of(option);
  ManualEntry entry;
  entry.term = flags.empty() ? option.get_name(true) : fmt::format("{}", fmt::join(flags, ", "));
  entry.values = values_of(option);
  entry.initial = option.get_default_str();
  entry.text = option.get_description();
  if (option.get_required()) entry.text += ". Must be given";
  return entry;
}

ManualPart part_of(const CLI::App& command, const std::string& name) {
  ManualPart part;
  part.heading = name;
  part.text = command.get_description() + ".";
  for (const auto* const option : options_of(command)) {
    if (option != command.get_help_ptr()) part.entries.push_back(entry_of(*option));
  }
  part.example = command.get_footer();
  return part;
}

ManualPage commands_page(const CLI::App& app) {
  ManualPage page{"nbs", 1, "finds and segments small anomalies in images, with only a few of them labeled", {}};
  page.parts.push_back({"Synopsis", "", {}, "nbs COMMAND [OPTION...] [WORD...]"});
  page.parts.push_back({"Description",
                        "Each command is described below; nbs COMMAND --help says the same. nbs-pipeline(5) has the "
                        "options of pipeline files, and nbs-KIND-NAME(7) those of each plugin.",
                        {},
                        app.get_footer()});
  for (const auto* const command : commands_of(app)) {
    page.parts.push_back(part_of(*command, "nbs " + command->get_name()));
    for (const auto* const inner : commands_of(*command))
      page.parts.push_back(part_of(*inner, fmt::format("nbs {} {}", command->get_name(), inner->get_name())));
  }
  return page;
}

std::vector<ManualEntry> entries_of(const std::vector<OptionSpec>& options) {
  std::vector<ManualEntry> entries;
  for (const auto& option : options) {
    const auto range = range_text(option);
    ManualEntry entry;
    entry.term = option.name;
    entry.values = type_name(option.type) + (range.empty() ? "" : ", " + range);
    entry.initial = to_text(option.default_value);
    entry.text = option.doc;
    if (!option.tuning.empty()) entry.text += fmt::format(" nbs tune tries {:g}.", fmt::join(option.tuning, ", "));
    entries.push_back(std::move(entry));
  }
  return entries;
}

ManualPage pipeline_page() {
  ManualPage page{"nbs-pipeline", 5, "the options of a pipeline file that are the host's own", {}};
  page.parts.push_back({"Description",
                        "A pipeline is a TOML file. Beside the sections below it has name, seed, base, plugin_path, "
                        "[sweep], and a section for each component: [sampler], [autoencoder], [predictor] and any "
                        "number of [[postproc]], with plugin = \"NAME\" and that plugin's options. nbs check --print "
                        "FILE writes a whole pipeline out.",
                        {},
                        ""});
  for (const auto& [section, specs] : config::section_specs())
    page.parts.push_back({"[" + section + "]", "", entries_of(specs), ""});
  return page;
}

ManualPage plugin_page(const host::PluginDescription& plugin) {
  ManualPage page{fmt::format("nbs-{}-{}", kind_name(plugin.kind), plugin.name), 7, plugin.doc, {}};
  if (!page.title.empty() && page.title.back() == '.') page.title.pop_back();
  std::string section;
  const config::Pipeline none;
  config::visit_component_sections(none, [&](Kind kind, const char* name, const auto& member) {
    if (kind == plugin.kind) section = config::header_of(name, member);
  });
  ManualPart part;
  part.heading = "Options";
  part.text = fmt::format("Of {} with plugin = \"{}\"; version {}.", section, plugin.name, plugin.version);
  if (plugin.options.empty()) part.text += " It has none.";
  part.entries = entries_of(plugin.options);
  page.parts.push_back(std::move(part));
  return page;
}

// A page for each of the plugins, and without names also those of nbs itself.
std::vector<ManualPage> pages_of(const CLI::App& app, const ReferenceArguments& arguments) {
  const auto catalog = find_plugins(arguments.plugin_path);
  std::vector<ManualPage> pages;
  if (arguments.plugins.empty()) pages = {commands_page(app), pipeline_page()};
  std::vector<std::string> names;
  for (const auto& plugin : catalog.plugins)
    names.push_back(plugin.name);
  for (const auto& wanted : arguments.plugins) {
    if (std::find(names.begin(), names.end(), wanted) == names.end())
      throw Error(fmt::format("there is no plugin \"{}\"{}", wanted, did_you_mean(wanted, names)));
  }
  for (const Kind kind : kKinds) {
    for (const auto& plugin : catalog.plugins) {
      const auto& chosen = arguments.plugins;
      const bool all = chosen.empty();
      if (plugin.kind == kind && (all || std::find(chosen.begin(), chosen.end(), plugin.name) != chosen.end()))
        pages.push_back(plugin_page(plugin));
    }
  }
  return pages;
}

std::string index_of(const std::vector<ManualPage>& pages) {
  std::string text =
      "<!-- Written by `nbs reference`: change the declarations, not this file. -->\n# Reference\n\n"
      "Every command and every option, as `nbs --help`, `nbs options` and `nbs plugins NAME` say them, too.\n\n";
  for (const auto& page : pages)
    text += fmt::format("- [{}]({}.md): {}\n", page.name, page.name, page.title);
  return text;
}

int write_reference(const CLI::App& app, const ReferenceArguments& arguments) {
  const auto pages = pages_of(app, arguments);
  const bool man = arguments.format == "man";
  const auto text_of = [&](const ManualPage& page) {
    return man ? to_man(page, record::version_text()) : to_markdown(page);
  };
  if (arguments.out.empty()) {
    for (const auto& page : pages)
      fmt::print("{}", text_of(page));
    return kGood;
  }
  const std::filesystem::path folder = arguments.out;
  for (const auto& page : pages) {
    const auto file = man ? folder / fmt::format("man{}", page.section) / fmt::format("{}.{}", page.name, page.section)
                          : folder / (page.name + ".md");
    std::filesystem::create_directories(file.parent_path());
    write_file(file, text_of(page));
  }
  if (!man && arguments.plugins.empty()) write_file(folder / "README.md", index_of(pages));
  return kGood;
}

}  // namespace

void add_reference(CLI::App& app, Action& action) {
  auto* const command =
      app.add_subcommand("reference", "Every command and option, as Markdown or as pages of the manual");
  const auto arguments = std::make_shared<ReferenceArguments>();
  command->add_option("PLUGIN", arguments->plugins, "Write the pages of these plugins alone");
  command->add_option("--format", arguments->format, "How they are written")
      ->check(CLI::IsMember({"markdown", "man"}))
      ->capture_default_str();
  command->add_option("-o,--out", arguments->out, "Folder to write them into; standard output unless given");
  command->add_option("--plugin-path", arguments->plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
  command->footer("Example: nbs reference my_sampler --plugin-path build --format man | man -l -");
  command->callback(
      [&app, arguments, &action] { action = [&app, arguments] { return write_reference(app, *arguments); }; });
}

}  // namespace nbs::cli
