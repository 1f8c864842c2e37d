// SPDX-License-Identifier: Apache-2.0
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

struct DataArguments : PipelineArguments {
  std::string folder;
  std::string layout = "folder";
};

int show_data(const DataArguments& arguments) {
  const auto pipelines = load_pipelines(arguments);
  if (!arguments.folder.empty() && pipelines.size() != 1)
    throw Error(fmt::format("--export writes one data set, but these files make {} runs", pipelines.size()));
  for (const auto& [label, pipeline] : pipelines) {
    // The worker reads pipelines from files.
    const TemporaryFile file("data", config::to_toml(pipeline));
    std::vector<std::string> words = {"data", file.path().string()};
    if (!arguments.folder.empty())
      words.insert(words.end(), {"--export", arguments.folder, "--layout", arguments.layout});
    const int code = launch::run_worker(words);
    if (code != kGood) return code;
  }
  return kGood;
}

}  // namespace

void add_data(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("data", "What a pipeline's data set holds and which images are labeled");
  const auto arguments = std::make_shared<DataArguments>();
  arguments->add_to(*command);
  command->add_option("--export", arguments->folder, "Write the synthetic data set as files into this folder");
  command->add_option("--layout", arguments->layout, "Layout of the files written by --export")
      ->check(CLI::IsMember({"crackforest", "mvtec", "nanotwice", "folder"}))
      ->capture_default_str();
  command->footer("Example: nbs data pipelines/synthetic.toml --export /tmp/set --layout mvtec");
  command->callback([arguments, &action] { action = [arguments] { return show_data(*arguments); }; });
}

}  // namespace nbs::cli
