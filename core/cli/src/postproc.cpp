// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/run/worker_process.h"

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
  return run::run_worker({"postproc", file.path().string(), "--image", arguments.image, "--probability",
                          arguments.probability, "--out", arguments.out});
}

}  // namespace

void add_postproc(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("postproc", "Apply one postprocessor to one probability map");
  const auto arguments = std::make_shared<PostprocArguments>();
  command->add_option("PLUGIN", arguments->plugin, "Postprocessor, for example dense_crf")->required();
  command->add_option("--image", arguments->image, "The image")->required()->check(CLI::ExistingFile);
  command->add_option("--probability", arguments->probability, "Map of its size: .npy, or a grey picture (white = 1)")
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

void add_tune(CLI::App& app, Action& action) {
  auto* const command =
      app.add_subcommand("tune", "Pick the postprocessors' options on the labelled images of a run; prints TOML");
  const auto folder = std::make_shared<std::string>();
  const auto plugin = std::make_shared<std::string>();
  command->add_option("RUN", *folder, "Folder of a finished run")->required()->check(CLI::ExistingDirectory);
  command->add_option("--plugin", *plugin, "Tune this postprocessor instead of the run's own chain");
  command->footer(
      "The masks of unlabelled images are not opened. In a pipeline, evaluation.tune_postproc = true does the same.\n"
      "Example: nbs tune runs/crackforest-0123abcd --plugin dense_crf");
  command->callback([folder, plugin, &action] {
    action = [folder, plugin] {
      std::vector<std::string> words = {"tune"};
      if (!plugin->empty()) words.insert(words.end(), {"--plugin", *plugin});
      words.insert(words.end(), {"--", *folder});
      return run::run_worker(words);
    };
  });
}

}  // namespace nbs::cli
