// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "nbs/launch/worker_process.h"

#include "commands.h"
#include "run_plugins.h"

namespace nbs::cli {

void add_tune(CLI::App& app, Action& action) {
  auto* const command =
      app.add_subcommand("tune", "Pick the postprocessors' options on the labeled images of a run; prints TOML");
  const auto folder = std::make_shared<std::string>();
  const auto plugin = std::make_shared<std::string>();
  const auto plugins = std::make_shared<RunPlugins>();
  command->add_option("RUN", *folder, "Folder of a finished run")->required()->check(CLI::ExistingDirectory);
  command->add_option("--plugin", *plugin, "Tune this postprocessor instead of the run's own chain");
  plugins->add_to(*command);
  command->footer(
      "The masks of unlabeled images are not opened. In a pipeline, evaluation.tune_postproc = true does the same.\n"
      "Example: nbs tune runs/crackforest-0123abcd --plugin dense_crf");
  command->callback([folder, plugin, plugins, &action] {
    action = [folder, plugin, plugins] {
      std::vector<std::string> words = {"tune"};
      if (!plugin->empty()) words.insert(words.end(), {"--plugin", *plugin});
      const auto more = plugins->words();
      words.insert(words.end(), more.begin(), more.end());
      words.insert(words.end(), {"--", *folder});
      return launch::run_worker(words);
    };
  });
}

}  // namespace nbs::cli
