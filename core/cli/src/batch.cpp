// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/batch.h"

#include <algorithm>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/record/run_directory.h"
#include "nbs/report/report.h"

#include "commands.h"
#include "outcome.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct BatchArguments : PipelineArguments {
  std::string parent = "runs";
  launch::BatchOptions options;
};

using State = launch::Job::State;

// How a run began, if not in a folder of its own from the beginning.
std::string beginning(const launch::Job& job) {
  if (job.checkpoint_refused) return ", from its beginning: the checkpoint was refused, log.txt says why";
  return job.resumed ? ", from its checkpoint" : "";
}

void tell(const launch::Job& job, std::size_t ended, std::size_t total) {
  const std::string head = fmt::format("[{}/{}] {}", ended, total, job.label);
  const std::string why = job.problem.empty() ? "" : ": " + job.problem;
  switch (job.state) {
    case State::running:
      put_now(fmt::format("started   {} -> {}{}\n", job.label, job.folder.string(), beginning(job)));
      break;
    case State::elsewhere:
      put_now(fmt::format("waits     {}: another process works on it in {}\n", job.label, job.folder.string()));
      break;
    case State::again:
      put_now(fmt::format("again     {}: failed (status {}){}; see {}\n", job.label, job.status, why,
                          record::RunDirectory(job.folder).log().string()));
      break;
    case State::skipped:
      put_now(fmt::format("[{}/{}] finished before: {} -> {}\n", ended, total, job.label, job.folder.string()));
      break;
    case State::done:
      put_now(fmt::format("{}: {}\n", head, outcome_text(job.folder)));
      if (job.status != 0)
        put_now(fmt::format("{} is finished, but not well (status {}){}; see {}\n", head, job.status, why,
                            record::RunDirectory(job.folder).log().string()));
      break;
    case State::interrupted:
      put_now(fmt::format("{} interrupted: {}\n", head, outcome_text(job.folder)));
      break;
    case State::failed:
      put_now(job.folder.empty() ? fmt::format("{} FAILED to start{}\n", head, why)
                                 : fmt::format("{} FAILED (status {}){}; see {}\n", head, job.status, why,
                                               record::RunDirectory(job.folder).log().string()));
      break;
    case State::waiting:
      break;
  }
}

// How a batch that was told to stop stands, and how to go on.
std::string interrupted_text(const std::vector<launch::Job>& jobs) {
  const auto count = [&jobs](auto... states) {
    return std::count_if(jobs.begin(), jobs.end(),
                         [=](const launch::Job& job) { return ((job.state == states) || ...); });
  };
  return fmt::format(
      "interrupted: of {} runs {} are finished, {} failed, {} were cut short and {} not started; the same command "
      "skips the finished ones and goes on with those that were cut short from their checkpoints",
      jobs.size(), count(State::done, State::skipped), count(State::failed), count(State::interrupted),
      count(State::waiting, State::elsewhere, State::again));
}

int run_batch(const BatchArguments& arguments) {
  std::vector<launch::Job> jobs;
  for (auto& named : load_pipelines(arguments)) {
    launch::Job job;
    job.label = named.label;
    job.pipeline = std::move(named.pipeline);
    jobs.push_back(std::move(job));
  }
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  if (static_cast<unsigned>(arguments.options.parallel) > cores && jobs.size() > cores) {
    say(fmt::format("note: {} runs at a time share {} cores, so each gets less than one, and all take memory at once",
                    std::min<std::size_t>(static_cast<std::size_t>(arguments.options.parallel), jobs.size()), cores));
  }
  put_now(fmt::format("{} runs, {} at a time\n", jobs.size(), arguments.options.parallel));
  std::size_t ended = 0;
  bool all_well = true;
  const auto end = launch::run_batch(jobs, arguments.parent, arguments.options, [&](const launch::Job& job) {
    const bool has_ended = job.state != State::running && job.state != State::elsewhere && job.state != State::again;
    if (has_ended) ++ended;
    if (has_ended && (job.status != 0 || job.state == State::failed)) all_well = false;
    tell(job, ended, jobs.size());
    if (job.state == State::done) report::write_run_report(job.folder);
  });
  if (end.problems > 0) all_well = false;
  try {
    report::write_folder_report(arguments.parent);
    put_now(fmt::format("report: {}/index.html\n", arguments.parent));
  } catch (const std::exception& error) {
    // It loses no result, and `nbs report` makes it later.
    say(fmt::format("nbs: no report of {}: {}", arguments.parent, error.what()));
    all_well = false;
  }
  if (end.failed_fast) {
    const auto left = std::count_if(jobs.begin(), jobs.end(), [](const launch::Job& job) {
      return job.state == State::waiting || job.state == State::elsewhere || job.state == State::again;
    });
    say(fmt::format("{} runs were not started, as one had failed (--fail-fast)", left));
  }
  if (end.stop_signal != 0) {
    say(interrupted_text(jobs));
    return kToldToStop + end.stop_signal;
  }
  return all_well ? kGood : kFailed;
}

}  // namespace

void add_batch(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("batch", "Run many pipeline files; finished runs are not repeated");
  const auto arguments = std::make_shared<BatchArguments>();
  arguments->add_to(*command);
  command->add_option("-o,--out", arguments->parent, "Folder that run folders are made in")->capture_default_str();
  command->add_option("-j,--jobs", arguments->options.parallel, "Runs at a time; the cores are divided among them")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--retry", arguments->options.retries, "Times that a run which failed is tried again")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command
      ->add_option("--timeout", arguments->options.minutes,
                   "Minutes after which a run is told to end and has failed; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--fail-fast", arguments->options.fail_fast, "Start no more runs when one has failed");
  command->footer(
      "All files are checked before anything is trained. A failed run stops no other; its messages are in log.txt.\n"
      "Ctrl-C: running runs end cleanly, nothing new is started, the report is written; the same command goes on.\n"
      "A run that was cut off goes on from its checkpoint. Several batches may share a folder; each run is done once.\n"
      "Results change with the number of threads in their last digits: keep -j the same to repeat a batch exactly.\n"
      "Example: nbs batch pipelines/crackforest/*.toml --set data.root=/data/crackforest --out runs/crackforest");
  command->callback([arguments, &action] { action = [arguments] { return run_batch(*arguments); }; });
}

}  // namespace nbs::cli
