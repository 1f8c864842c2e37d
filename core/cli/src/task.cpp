// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/machine.h"
#include "nbs/launch/submissions.h"
#include "nbs/record/run_directory.h"

#include "batch_display.h"
#include "batch_jobs.h"
#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct TaskArguments {
  std::string submission;
  std::size_t number = 0;
  launch::BatchOptions options;
};

// Where the run is looked for when it did not start.
void note_in_log(const std::filesystem::path& folder, const std::string& text) {
  try {
    LineFile(record::RunDirectory(folder).log()).append(text);
  } catch (const std::exception&) {
    // The folder is gone; the queue's own log has it.
  }
}

// The runs that can be started. Each is a pipeline of its own, so that one that is wrong costs no other.
std::vector<NamedPipeline> load_cells(const std::vector<std::string>& names, const std::filesystem::path& parent,
                                      bool& all_well) {
  std::vector<NamedPipeline> cells;
  for (const auto& name : names) {
    const record::RunDirectory run(parent / name);
    try {
      PipelineArguments arguments;
      arguments.files = {run.resolved().string()};
      auto loaded = load_pipelines(arguments);
      loaded.front().label = name;
      cells.push_back(std::move(loaded.front()));
    } catch (const std::exception& error) {
      all_well = false;
      say(fmt::format("nbs: {}: {}", name, error.what()));
      note_in_log(run.folder(), error.what());
    }
  }
  return cells;
}

int run_task(TaskArguments& arguments) {
  // Long enough for what still ends on a node that the queue has given up.
  constexpr double kPatience = 120;
  const std::filesystem::path submission = arguments.submission;
  const auto parent = submission.parent_path().parent_path();
  bool all_well = true;
  auto jobs = jobs_of(load_cells(launch::cells_of_task(submission, arguments.number), parent, all_well));
  arguments.options.patience = kPatience;
  arguments.options.memory_mib = launch::memory_mib("95%", "memory", launch::available_memory_mib());
  const auto display = batch_display("lines");
  const auto end = run_jobs(jobs, parent, arguments.options, *display);
  if (end.batch.stop_signal != 0) return kToldToStop + end.batch.stop_signal;
  for (const auto& job : jobs) {
    if (job.state == launch::Job::State::elsewhere) {
      say(fmt::format("nbs: {}: another process still works on it, so it is left to that", job.label));
      all_well = false;
    }
  }
  return all_well && end.all_well ? kGood : kFailed;
}

}  // namespace

void add_task(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("task", "Do the runs of one task of a queue; job.sh calls it");
  command->group("");  // for scripts that nbs batch --launcher writes
  const auto arguments = std::make_shared<TaskArguments>();
  command->add_option("SUBMISSION", arguments->submission, "Folder of the submission")->required();
  command->add_option("NUMBER", arguments->number, "Number of the task, from 0")->required();
  add_job_options(*command, arguments->options);
  command->callback([arguments, &action] { action = [arguments] { return run_task(*arguments); }; });
}

}  // namespace nbs::cli
