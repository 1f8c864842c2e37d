// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "nbs/launch/worker_process.h"

#include "commands.h"

namespace nbs::cli {

namespace {

struct TestPluginArguments {
  std::vector<std::string> files;
  int level = 5;
  int seconds = 60;
  int memory = 4096;
  int calls = 10000;
  bool json = false;
};

int test(const TestPluginArguments& arguments) {
  std::vector<std::string> words = {"test-plugin",
                                    "--level",
                                    std::to_string(arguments.level),
                                    "--seconds",
                                    std::to_string(arguments.seconds),
                                    "--memory",
                                    std::to_string(arguments.memory),
                                    "--calls",
                                    std::to_string(arguments.calls),
                                    "--json",
                                    arguments.json ? "yes" : "no",
                                    "--"};
  words.insert(words.end(), arguments.files.begin(), arguments.files.end());
  return launch::run_worker(words);
}

}  // namespace

void add_test_plugin(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("test-plugin", "Try the plugins of libraries, and say what to change");
  const auto arguments = std::make_shared<TestPluginArguments>();
  command->add_option("LIB", arguments->files, "Libraries")->required()->check(CLI::ExistingFile);
  command
      ->add_option("--level", arguments->level,
                   "How much is tried: 1 (it loads) to 10 (a short training run); each level includes those below it")
      ->check(CLI::Range(1, 10))
      ->capture_default_str();
  command->add_option("--seconds", arguments->seconds, "Seconds that one check of one plugin may take")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_option("--memory", arguments->memory, "MiB of memory that one check may take")
      ->check(CLI::Range(64, 1 << 24))
      ->capture_default_str();
  command->add_option("--calls", arguments->calls, "Calls after which memory must not have grown (level 9)")
      ->check(CLI::Range(2, 1 << 30))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "As JSON, for scripts");
  command->footer(
      "Example: nbs test-plugin --level 10 build/libnbs-stripes.so\n"
      "Exit codes: 0 all passed, notes or not; 1 a check failed or a library was refused; 2 wrong use.\n"
      "docs/test-plugin.md says what each level tries.");
  command->callback([arguments, &action] { action = [arguments] { return test(*arguments); }; });
}

}  // namespace nbs::cli
