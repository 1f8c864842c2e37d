// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "commands.h"
#include "pipelines.h"
#include "plan.h"

namespace nbs::cli {

void add_check(CLI::App& app, Action& action) {
  struct CheckArguments : PipelineArguments {
    std::string parent = "runs";
    bool print = false;
  };
  auto* const command = app.add_subcommand("check", "Check pipeline files, all problems at once; trains nothing");
  const auto arguments = std::make_shared<CheckArguments>();
  arguments->add_to(*command);
  command->add_flag("--print", arguments->print, "Print the resolved pipelines, every default written out");
  command->add_option("-o,--out", arguments->parent, "Folder in which the runs of a batch are looked for")
      ->capture_default_str();
  command->footer(
      "Of several runs, which are finished and how long the others may take is printed, too.\n"
      "Example: nbs check pipelines/*.toml --set data.root=/data/crackforest");
  command->callback([arguments, &action] {
    action = [arguments] {
      const auto pipelines = load_pipelines(*arguments);
      if (arguments->print) {
        for (const auto& [label, pipeline] : pipelines)
          fmt::print("# {}\n{}\n", label, config::to_toml(pipeline));
      } else {
        fmt::print("{} file{}, {} run{}: no problems\n", arguments->files.size(),
                   arguments->files.size() == 1 ? "" : "s", pipelines.size(), pipelines.size() == 1 ? "" : "s");
        if (pipelines.size() > 1) fmt::print("{}", plan_text(pipelines, arguments->parent));
      }
      return static_cast<int>(kGood);
    };
  });
}

}  // namespace nbs::cli
