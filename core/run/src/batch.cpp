// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/batch.h"

#include <algorithm>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/run/run_directory.h"
#include "nbs/run/worker_process.h"

namespace nbs::run {

std::filesystem::path finished_run(const std::filesystem::path& parent, const config::Pipeline& pipeline) {
  const std::string stem = fmt::format("{}-{}", pipeline.name, config::short_hash(pipeline));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name != stem && name.rfind(stem + "-", 0) != 0) continue;
    if (!is_finished(entry.path())) continue;
    // The hash in the name is short; the file itself decides.
    if (read_file(entry.path() / "resolved.toml") == config::to_toml(pipeline)) return entry.path();
  }
  return {};
}

void run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, int parallel,
               const std::function<void(const Job&)>& changed) {
  std::map<pid_t, Job*> running;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const auto finish_one = [&] {
    const auto [process, status] = wait_for_any();
    const auto at = running.find(process);
    if (at == running.end()) return;
    Job& job = *at->second;
    job.status = status;
    job.state = status == 0 ? Job::State::done : Job::State::failed;
    running.erase(at);
    changed(job);
  };
  const auto start_all = [&] {
    for (auto& job : jobs) {
      job.folder = finished_run(parent, job.pipeline);
      if (!job.folder.empty()) {
        job.state = Job::State::skipped;
        changed(job);
        continue;
      }
      while (static_cast<int>(running.size()) >= parallel)
        finish_one();
      job.folder = make_run_directory(parent, job.pipeline);
      // Absolute, as the first word must not look like an option.
      const auto resolved = std::filesystem::absolute(job.folder / "resolved.toml");
      std::vector<std::string> arguments = {"run",  resolved.string(), "--out", job.folder.string(), "--progress",
                                            "lines"};
      if (parallel > 1 && job.pipeline.train.options.threads == 0) {
        arguments.emplace_back("--threads");
        arguments.push_back(std::to_string(std::max(1U, cores / static_cast<unsigned>(parallel))));
      }
      const pid_t process = start_worker(arguments, job.folder / "log.txt");
      job.state = Job::State::running;
      running.emplace(process, &job);
      changed(job);
    }
  };
  try {
    start_all();
  } catch (...) {
    // No folder or process for the next run: those that run already are not left alone.
    while (!running.empty())
      finish_one();
    throw;
  }
  while (!running.empty())
    finish_one();
}

}  // namespace nbs::run
