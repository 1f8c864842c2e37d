// SPDX-License-Identifier: Apache-2.0
#include "batch_jobs.h"

#include <CLI/CLI.hpp>

#include "nbs/report/report.h"

namespace nbs::cli {

std::vector<launch::Job> jobs_of(std::vector<NamedPipeline> pipelines) {
  std::vector<launch::Job> jobs(pipelines.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].label = std::move(pipelines[i].label);
    jobs[i].pipeline = std::move(pipelines[i].pipeline);
  }
  return jobs;
}

JobsEnd run_jobs(std::vector<launch::Job>& jobs, const std::filesystem::path& parent,
                 const launch::BatchOptions& options, BatchDisplay& display) {
  using State = launch::Job::State;
  std::size_t ended = 0;
  JobsEnd end;
  launch::BatchWatcher watcher;
  watcher.changed = [&](const launch::Job& job) {
    const bool has_ended = job.state != State::running && job.state != State::elsewhere && job.state != State::again;
    if (has_ended) ++ended;
    if (has_ended && (job.status != 0 || job.state == State::failed)) end.all_well = false;
    display.changed(job, ended, jobs.size());
    if (job.state == State::done) report::write_run_report(job.folder);
  };
  watcher.ticked = [&](const launch::BatchStatus& status) { display.ticked(status, ended, jobs.size()); };
  end.batch = launch::run_batch(jobs, parent, options, watcher);
  if (end.batch.problems > 0) end.all_well = false;
  return end;
}

void add_job_options(CLI::App& command, launch::BatchOptions& options) {
  command.add_option("-j,--jobs", options.parallel, "Runs at a time, at most; the cores are divided among them")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--cores", options.cores, "Cores that are divided; otherwise those that this process may use")
      ->check(CLI::Range(1, 4096));
  command.add_option("--retry", options.retries, "Times that a run which failed is tried again")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command
      .add_option("--timeout", options.minutes, "Minutes after which a run is told to end and has failed; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

}  // namespace nbs::cli
