// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/api_version.h"
#include "nbs/base/files.h"
#include "nbs/error.h"

#include "commands.h"
#include "pipelines.h"
#include "shipped.h"

namespace nbs::cli {

namespace {

namespace fs = std::filesystem;

/// What stands for what in the names and texts of a template.
using Words = std::map<std::string, std::string>;

// Names that CMake and LibTorch have for targets of their own.
const std::vector<std::string> kTargetsOfCMake = {"all",     "c10",  "clean", "help",      "install",
                                                  "package", "test", "torch", "torch_cpu", "torch_library"};

// "my_sampler" as the name of a type: "MySampler".
std::string in_camel_case(const std::string& name) {
  std::string type;
  bool upper = true;
  for (const char c : name) {
    if (c != '_') type += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return type;
}

// "Stripes" and "Sampler" as "StripesSampler"; "MySampler" stays as it is.
std::string type_name(const std::string& name, Kind kind) {
  const auto type = in_camel_case(name);
  const auto ending = in_camel_case(kind_name(kind));
  const bool has_it = type.size() > ending.size() && type.substr(type.size() - ending.size()) == ending;
  return has_it ? type : type + ending;
}

const char* article_of(Kind kind) {
  return kind == Kind::autoencoder ? "an" : "a";
}

Words words_for(const std::string& name, Kind kind) {
  std::string file = name;
  std::replace(file.begin(), file.end(), '_', '-');
  return {{"@name@", name},
          {"@kind@", kind_name(kind)},
          {"@a_kind@", fmt::format("{} {}", article_of(kind), kind_name(kind))},
          {"@type@", type_name(name, kind)},
          {"@library@", fmt::format("libnbs-{}.so", file)},
          {"@sdk_version@", fmt::format("{}.{}", kApiMajor, kApiMinor)}};
}

std::string filled_in(std::string text, const Words& words) {
  for (const auto& [mark, word] : words) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + word.size()))
      text.replace(at, mark.size(), word);
  }
  return text;
}

void require_good_name(const std::string& name) {
  const bool good = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
                    });
  if (!good) {
    throw Error(
        fmt::format("\"{}\" cannot name a plugin; use small letters, digits and _, with a letter first, for "
                    "example \"my_sampler\"",
                    name));
  }
  // The name becomes that of files, of which 255 bytes are possible.
  if (name.size() > 63) {
    throw Error(
        fmt::format("the name \"{}\" has {} letters, but 63 are the most; choose a shorter one", name, name.size()));
  }
  if (std::find(kTargetsOfCMake.begin(), kTargetsOfCMake.end(), name) != kTargetsOfCMake.end())
    throw Error(fmt::format("CMake keeps the name \"{}\" for itself; choose another for the plugin", name));
}

// Also a plugin of another kind has a library of this name.
void require_free_name(const std::string& name) {
  for (const auto& plugin : find_plugins({}).plugins) {
    if (plugin.name != name) continue;
    throw Error(
        fmt::format("there is {} {} \"{}\" already, in {}; choose another name, as pipelines would have to "
                    "say which of the two they want",
                    article_of(plugin.kind), kind_name(plugin.kind), name, plugin.file));
  }
}

// Copies a template's files, filled in, with their permissions.
void copy_template(const fs::path& from, const fs::path& to, const Words& words) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const auto target = to / filled_in(entry.path().lexically_relative(from).string(), words);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else {
      fs::create_directories(target.parent_path());
      write_file(target, filled_in(read_file(entry.path()), words));
      fs::permissions(target, entry.status().permissions() | fs::perms::owner_write);
    }
  }
}

int make_plugin(Kind kind, const std::string& name, const std::string& parent) {
  require_good_name(name);
  require_free_name(name);
  const auto templates = shipped("templates", "what plugins start from", "nbs-dev");
  const auto folder = fs::path(parent) / name;
  if (fs::exists(fs::symlink_status(folder)))
    throw Error(fmt::format("{} exists already; choose another name", folder.string()));
  fs::create_directories(folder);
  try {
    const auto words = words_for(name, kind);
    copy_template(templates / "common", folder, words);
    copy_template(templates / kind_name(kind), folder, words);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);  // half of a plugin is of no use, and would be in the way of the next try
    throw;
  }
  fmt::print("{}: read its README.md\n", folder.string());
  return kGood;
}

}  // namespace

void add_new(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("new", "Start a plugin of your own: source, test, CMake file, pipelines");
  command->require_subcommand(1);
  command->footer("Example: nbs new sampler loss_first && cd loss_first && ./check.sh");
  const auto name = std::make_shared<std::string>();
  const auto parent = std::make_shared<std::string>(".");
  for (const Kind kind : kKinds) {
    auto* const of_kind = command->add_subcommand(kind_name(kind), fmt::format("Start a plugin: {}", kind_name(kind)));
    of_kind->add_option("NAME", *name, "Name of the plugin, for example my_sampler")->required();
    of_kind->add_option("--in", *parent, "Folder in which its folder is made")->capture_default_str();
    of_kind->callback(
        [kind, name, parent, &action] { action = [kind, name, parent] { return make_plugin(kind, *name, *parent); }; });
  }
}

}  // namespace nbs::cli
