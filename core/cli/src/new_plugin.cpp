// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"

#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

constexpr const char* kCMake = R"(cmake_minimum_required(VERSION 3.25)
project({name} LANGUAGES CXX)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
find_package(nbs REQUIRED)
nbs_add_plugin({name} SOURCES {name}.cpp)
)";

// {{ and }} are braces for fmt.
constexpr const char* kSource = R"(#include "nbs/draw.h"
#include "nbs/patch_mean.h"
#include "nbs/plugin.h"

namespace {{

/// Of a few random patches, takes the one with the highest loss: change it into yours.
class {type} : public nbs::Sampler {{
 public:
  struct Options {{
    std::int64_t candidates = 4;

    static void declare(nbs::Schema<Options>& s) {{
      s.add("candidates", &Options::candidates).range(1, 1000).doc("Patches drawn for each one that is taken.");
    }}
  }};

  {type}(const Options& options, nbs::Context& context) : options_(options), draw_(context.generator()) {{}}

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {{
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    nbs::Rollout rollout;
    while (static_cast<std::int64_t>(rollout.patches.size()) < count) {{
      nbs::Patch best;
      double highest = -1;
      for (std::int64_t i = 0; i < options_.candidates; ++i) {{
        const nbs::Patch patch{{draw_.below(scene.image_count()), draw_.below(places), draw_.below(places)}};
        // The current loss of the patch: where the autoencoder is worst.
        const double loss = nbs::patch_loss(scene, patch);
        if (loss > highest) {{
          highest = loss;
          best = patch;
        }}
      }}
      rollout.patches.push_back(best);
    }}
    return rollout;
  }}

 private:
  Options options_;
  nbs::Draw draw_;
}};

}}  // namespace

NBS_PLUGIN("{name}", "0.1.0") {{
  registrar.add<{type}>("{name}", "Of a few random patches, the one with the highest loss.");
}}
)";

constexpr const char* kPipeline = R"(name = "{name}"
plugin_path = ["build"]

[data]
format = "synthetic"

[sampler]
plugin = "{name}"

[autoencoder]
plugin = "conv"

[predictor]
plugin = "dilated"

[train]
iterations = 64
)";

constexpr const char* kReadme = R"(# {name}: a sampler for nbs

    cmake -G Ninja -S . -B build -DCMAKE_PREFIX_PATH=<where nbs is installed> && cmake --build build
    nbs test-plugin build/libnbs-{file}.so
    nbs run {name}.toml
)";

std::string type_name_of(const std::string& name) {
  std::string type;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    type += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return type + "Sampler";
}

int make_sampler(const std::string& name, const std::string& parent) {
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
  for (const auto& plugin : find_plugins({}).plugins) {
    if (plugin.kind != Kind::sampler || plugin.name != name) continue;
    throw Error(
        fmt::format("there is a sampler \"{}\" already, in {}; choose another name, as pipelines would have to "
                    "say which of the two they want",
                    name, plugin.file));
  }
  const auto folder = std::filesystem::path(parent) / name;
  if (std::filesystem::exists(folder))
    throw Error(fmt::format("{} exists already; choose another name", folder.string()));
  std::string file = name;
  std::replace(file.begin(), file.end(), '_', '-');
  std::filesystem::create_directories(folder);
  const auto fill = [&](const char* text) {
    return fmt::format(fmt::runtime(text), fmt::arg("name", name), fmt::arg("type", type_name_of(name)),
                       fmt::arg("file", file));
  };
  write_file(folder / "CMakeLists.txt", fill(kCMake));
  write_file(folder / (name + ".cpp"), fill(kSource));
  write_file(folder / (name + ".toml"), fill(kPipeline));
  write_file(folder / "README.md", fill(kReadme));
  fmt::print("{}: read its README.md\n", folder.string());
  return kGood;
}

}  // namespace

void add_new(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("new", "Start a plugin of your own: source, CMake file, pipeline");
  command->require_subcommand(1);
  auto* const sampler = command->add_subcommand("sampler", "A batch sampler");
  const auto name = std::make_shared<std::string>();
  const auto parent = std::make_shared<std::string>(".");
  sampler->add_option("NAME", *name, "Name of the plugin, for example my_sampler")->required();
  sampler->add_option("--in", *parent, "Folder in which its folder is made")->capture_default_str();
  sampler->callback([name, parent, &action] { action = [name, parent] { return make_sampler(*name, *parent); }; });
}

}  // namespace nbs::cli
