// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "nbs/launch/worker_process.h"

#include "commands.h"

namespace nbs::cli {

void add_test_plugin(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("test-plugin", "Load plugin libraries and say what is in them, or why not");
  const auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("LIB", *files, "Libraries")->required()->check(CLI::ExistingFile);
  command->callback([files, &action] {
    action = [files] {
      std::vector<std::string> words = {"test-plugin"};
      words.insert(words.end(), files->begin(), files->end());
      return launch::run_worker(words);
    };
  });
}

}  // namespace nbs::cli
