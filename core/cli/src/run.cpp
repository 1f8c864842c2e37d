// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/worker_process.h"
#include "nbs/record/run_directory.h"
#include "nbs/record/same_plugins.h"
#include "nbs/report/report.h"

#include "commands.h"
#include "outcome.h"
#include "pipelines.h"
#include "run_plugins.h"

namespace nbs::cli {

namespace {

struct RunArguments : PipelineArguments {
  std::string parent = "runs";
  std::string folder;
  std::string resume;
  std::string model;
  bool allow_changed = false;
  std::string progress = "auto";
};

// Trains in the folder that is claimed, or takes the model of a finished run, and makes its report. Returns the exit
// code.
int run_in(launch::Claim claim, const std::string& progress, const std::string& model = "") {
  const record::RunDirectory run(claim.folder);
  const auto& folder = run.folder();
  std::vector<std::string> words = {"run", run.resolved().string(), "--out", folder.string(), "--progress", progress};
  if (claim.kind == launch::Claim::Kind::resume) words.insert(words.end(), {"--resume", "yes"});
  if (!model.empty()) words.insert(words.end(), {"--model", model});
  int code = launch::run_worker(words, claim.descriptors());
  if (code == kFailed && launch::drop_unbegun(claim)) return code;  // the worker has said why
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
  return code;
}

int resume(const RunArguments& arguments, const std::string& progress) {
  if (!arguments.files.empty() || !arguments.overrides.empty() || !arguments.folder.empty() ||
      !arguments.model.empty()) {
    throw Error(
        "--resume goes on with the pipeline in the run's folder, so it takes neither pipeline files nor --set nor "
        "--run-dir nor --model; leave them out");
  }
  auto claim = launch::resume_run(arguments.resume);
  if (claim.kind == launch::Claim::Kind::complete) {
    say(fmt::format("{} is finished; there is nothing to go on with", arguments.resume));
    print_outcome(arguments.resume);
    return kGood;
  }
  return run_in(std::move(claim), progress);
}

// These are refused before a folder is made for the run that is to take the model.
void require_whole_model(const record::RunDirectory& run) {
  const auto result = run.read_result();
  if (result.finished()) return;
  throw Error(fmt::format(
      "the run {} did not finish ({}), so its model is not that of the whole training; leave out --model, so "
      "that a model is trained",
      run.folder().string(), record::state_name(record::state_of(result))));
}

void require_plugins_of_model(const RunArguments& arguments, config::Pipeline pipeline) {
  pipeline.postproc.clear();  // they may differ
  record::require_same_plugins(arguments.model, pipeline, arguments.allow_changed, say);
}

int run_all(const RunArguments& arguments) {
  const std::string progress =
      arguments.progress != "auto" ? arguments.progress : (isatty(STDERR_FILENO) != 0 ? "bar" : "lines");
  if (!arguments.resume.empty()) return resume(arguments, progress);
  if (!arguments.model.empty()) require_whole_model(record::RunDirectory(arguments.model));
  const auto pipelines = load_pipelines(arguments, arguments.model);
  if (!arguments.folder.empty() && pipelines.size() > 1) {
    throw Error(
        fmt::format("--run-dir names the folder of one run, but there are {} runs; use --out for the folder "
                    "above them",
                    pipelines.size()));
  }
  int worst = kGood;
  for (const auto& [label, pipeline] : pipelines) {
    if (!arguments.model.empty()) require_plugins_of_model(arguments, pipeline);
    auto claim = arguments.folder.empty() ? launch::new_run(arguments.parent, pipeline)
                                          : launch::new_run_in(arguments.folder, pipeline);
    say(fmt::format("{} -> {}", label, claim.folder.string()));
    const int code = run_in(std::move(claim), progress, arguments.model);
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
  command->get_option("FILE")->required(false);
  command->add_option("--resume", arguments->resume, "Go on with the run in this folder, which was cut off");
  command->add_option("--model", arguments->model,
                      "Take the model of this finished run; [evaluation] and [[postproc]] may differ");
  RunPlugins::add_allowance_to(*command, arguments->allow_changed);
  command->add_option("--progress", arguments->progress, "What is shown on standard error")
      ->check(CLI::IsMember({"auto", "bar", "lines", "none"}))
      ->capture_default_str();
  command->footer(
      "Ctrl-C ends a run cleanly: what was learned so far is scored and written. A second Ctrl-C ends it at once.\n"
      "A run that was cut off, however it was, goes on from its last checkpoint and ends with the same bytes: nbs run\n"
      "--resume runs/crackforest-0123abcd.\n"
      "With --model nothing is trained: another threshold rule or postprocessor takes as long as masking the images.\n"
      "Example: nbs run pipelines/crackforest.toml --set data.root=/data/crackforest --set seed=1");
  command->callback([arguments, &action] {
    if (arguments->files.empty() && arguments->resume.empty()) throw CLI::RequiredError("FILE");
    action = [arguments] { return run_all(*arguments); };
  });
}

}  // namespace nbs::cli
