// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/worker_process.h"
#include "nbs/record/run_directory.h"
#include "nbs/report/report.h"

#include "commands.h"
#include "outcome.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct RunArguments : PipelineArguments {
  std::string parent = "runs";
  std::string folder;
  std::string progress = "auto";
};

int run_all(const RunArguments& arguments) {
  const auto pipelines = load_pipelines(arguments);
  if (!arguments.folder.empty() && pipelines.size() > 1) {
    throw Error(
        fmt::format("--run-dir names the folder of one run, but there are {} runs; use --out for the folder "
                    "above them",
                    pipelines.size()));
  }
  const std::string progress =
      arguments.progress != "auto" ? arguments.progress : (isatty(STDERR_FILENO) != 0 ? "bar" : "lines");
  int worst = kGood;
  for (const auto& [label, pipeline] : pipelines) {
    const auto run = arguments.folder.empty() ? record::RunDirectory::create(arguments.parent, pipeline)
                                              : record::RunDirectory::use(arguments.folder, pipeline);
    const auto& folder = run.folder();
    say(fmt::format("{} -> {}", label, folder.string()));
    int code = launch::run_worker({"run", run.resolved().string(), "--out", folder.string(), "--progress", progress});
    if (code == kGood && !run.is_finished()) {
      say(fmt::format("nbs: the worker ended as if all were well, but left no finished result in {}", folder.string()));
      code = kFailed;
    }
    print_outcome(folder);
    try {
      report::write_run_report(folder);
      put_now(fmt::format("report: {}\n", run.report().string()));
    } catch (const std::exception& error) {
      // A report that cannot be made loses no result; `nbs report` makes it later.
      say(fmt::format("nbs: no report for {}: {}", folder.string(), error.what()));
      if (code == kGood) code = kFailed;
    }
    if (code > kToldToStop) return code;
    if (code != kGood) worst = kFailed;
  }
  return worst;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("run", "Train, predict and score; one run for every cell of a sweep");
  const auto arguments = std::make_shared<RunArguments>();
  arguments->add_to(*command);
  command->add_option("-o,--out", arguments->parent, "Folder that run folders are made in")->capture_default_str();
  command->add_option("--run-dir", arguments->folder, "The run's own folder; must be new or empty");
  command->add_option("--progress", arguments->progress, "What is shown on standard error")
      ->check(CLI::IsMember({"auto", "bar", "lines", "none"}))
      ->capture_default_str();
  command->footer(
      "Ctrl-C ends a run cleanly: what was learned so far is scored and written. A second Ctrl-C ends it at once.\n"
      "Example: nbs run pipelines/crackforest.toml --set data.root=/data/crackforest --set seed=1");
  command->callback([arguments, &action] { action = [arguments] { return run_all(*arguments); }; });
}

}  // namespace nbs::cli
