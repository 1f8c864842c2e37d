// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/launch/worker_process.h"

#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct PostprocArguments {
  std::string plugin;
  std::string image;
  std::string probability;
  std::string out;
  std::vector<std::string> overrides;
  std::vector<std::string> plugin_path;
};

int postprocess(const PostprocArguments& arguments) {
  auto document =
      config::Document::from_text(fmt::format("[[postproc]]\nplugin = \"{}\"\n", arguments.plugin), "nbs postproc");
  for (const auto& text : arguments.overrides)
    document.apply("postproc.0." + text);
  auto pipeline = config::resolve(document, find_plugins(arguments.plugin_path), config::Purpose::postprocess);
  for (const auto& folder : arguments.plugin_path)
    pipeline.plugin_path.push_back(std::filesystem::absolute(folder).string());
  const TemporaryFile file("postproc", config::to_toml(pipeline));
  return launch::run_worker({"postproc", file.path().string(), "--image", arguments.image, "--probability",
                             arguments.probability, "--out", arguments.out});
}

}  // namespace

void add_postproc(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("postproc", "Apply one postprocessor to one probability map");
  const auto arguments = std::make_shared<PostprocArguments>();
  command->add_option("PLUGIN", arguments->plugin, "Postprocessor, for example dense_crf")->required();
  command->add_option("--image", arguments->image, "The image")->required()->check(CLI::ExistingFile);
  command->add_option("--probability", arguments->probability, "Map of its size: .npy, or a gray picture (white = 1)")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("-o,--out", arguments->out, "File to write: .npy (float32) or .png (16 bit)")->required();
  command->add_option("--set", arguments->overrides, "An option of the plugin: name=value (may be repeated)")
      ->allow_extra_args(false);
  command->add_option("--plugin-path", arguments->plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
  command->footer("Example: nbs postproc dense_crf --image I.jpg --probability P.npy --set iterations=10 -o Q.npy");
  command->callback([arguments, &action] { action = [arguments] { return postprocess(*arguments); }; });
}

}  // namespace nbs::cli
