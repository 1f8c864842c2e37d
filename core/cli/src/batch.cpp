// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/batch.h"

#include <csignal>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/report/report.h"

#include "commands.h"
#include "outcome.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

struct Arguments : PipelineArguments {
  std::string parent = "runs";
  int parallel = 1;
};

void say(const run::Job& job, std::size_t ended, std::size_t total) {
  using State = run::Job::State;
  switch (job.state) {
    case State::running:
      fmt::print("started   {} -> {}\n", job.label, job.folder.string());
      break;
    case State::skipped:
      fmt::print("[{}/{}] finished before: {} -> {}\n", ended, total, job.label, job.folder.string());
      break;
    case State::done:
      fmt::print("[{}/{}] {}: {}\n", ended, total, job.label, outcome_text(job.folder));
      break;
    case State::failed:
      fmt::print("[{}/{}] {} FAILED (status {}); see {}\n", ended, total, job.label, job.status,
                 (job.folder / "log.txt").string());
      break;
    case State::waiting:
      break;
  }
  std::fflush(stdout);
}

int run_batch(const Arguments& arguments) {
  std::vector<run::Job> jobs;
  for (auto& named : load_pipelines(arguments)) {
    run::Job job;
    job.label = named.label;
    job.pipeline = std::move(named.pipeline);
    jobs.push_back(std::move(job));
  }
  fmt::print("{} runs, {} at a time\n", jobs.size(), arguments.parallel);
  std::size_t ended = 0;
  std::size_t failed = 0;
  run::run_batch(jobs, arguments.parent, arguments.parallel, [&](const run::Job& job) {
    using State = run::Job::State;
    if (job.state != State::running) ++ended;
    if (job.state == State::failed) ++failed;
    say(job, ended, jobs.size());
    // A report that cannot be made loses no result.
    if (job.state == State::done) {
      try {
        report::write_run_report(job.folder);
      } catch (const std::exception& error) {
        fmt::print(stderr, "no report for {}: {}\n", job.folder.string(), error.what());
      }
    }
  });
  report::write_folder_report(arguments.parent);
  fmt::print("report: {}/index.html\n", arguments.parent);
  return failed == 0 ? kGood : kFailed;
}

}  // namespace

void add_batch(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("batch", "Run many pipeline files; finished runs are not repeated");
  const auto arguments = std::make_shared<Arguments>();
  arguments->add_to(*command);
  command->add_option("-o,--out", arguments->parent, "Folder that run folders are made in")->capture_default_str();
  command->add_option("-j,--jobs", arguments->parallel, "Runs at a time; the cores are divided among them")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->footer(
      "All files are checked before anything is trained. A failed run stops no other; its messages are in log.txt.\n"
      "Results change with the number of threads in their last digits: keep -j the same to repeat a batch exactly.\n"
      "Example: nbs batch pipelines/crackforest/*.toml --set data.root=/data/crackforest --out runs/crackforest");
  command->callback([arguments, &action] { action = [arguments] { return run_batch(*arguments); }; });
}

}  // namespace nbs::cli
