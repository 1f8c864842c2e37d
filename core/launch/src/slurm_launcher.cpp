// SPDX-License-Identifier: Apache-2.0
#include "slurm_launcher.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "nbs/error.h"
#include "nbs/launch/slurm.h"

#include "program_output.h"

namespace nbs::launch {

namespace {

std::string user_name() {
  const passwd* const user = getpwuid(geteuid());
  return user != nullptr ? user->pw_name : std::to_string(geteuid());
}

class SlurmLauncher : public Launcher {
 public:
  explicit SlurmLauncher(const LauncherOptions& options) : options_(options) {
    for (const auto& [name, line] :
         {std::pair("submit_command", options.submit_command), std::pair("status_command", options.status_command),
          std::pair("cancel_command", options.cancel_command)}) {
      if (!line.empty())
        throw Error(fmt::format("the option {} is for the launcher command; leave it out, or use that", name));
    }
    for (const auto& directive : options.directives) {
      if (directive.rfind("--", 0) != 0)
        throw Error(
            fmt::format("a directive is \"{}\", but must be an option of sbatch in its long form, such as "
                        "--constraint=avx512",
                        directive));
    }
  }

  std::vector<std::string> directives(const Submission& submission) const override {
    return slurm::directives(options_, submission, !arrays_are_off_);
  }
  std::string task_number() const override { return "\"${SLURM_ARRAY_TASK_ID:-0}\""; }

  std::size_t most_tasks() override {
    const auto most = slurm::config_number(configuration(), "MaxArraySize");
    arrays_are_off_ = most && *most == 0;
    // Without the line, one of the oldest defaults.
    return std::max<std::size_t>(1, most.value_or(1001));
  }

  std::size_t room() override {
    const auto found = run_program(
        {"sacctmgr", "--noheader", "--parsable2", "show", "assoc", "where", "user=" + user_name(),
         "cluster=" + slurm::config_word(configuration(), "ClusterName"), "format=account,partition,maxsubmitjobs"});
    // Where there is no accounting, there is no such limit.
    const auto most =
        found.status == 0 ? slurm::most_submitted(found.output, options_.account, options_.partition) : std::nullopt;
    if (!most) return kNoLimit;
    std::size_t in_queue = 0;
    for (const auto& line : queue())
      in_queue += line.state != QueuedTask::State::ended ? 1 : 0;
    return *most > in_queue ? *most - in_queue : 0;
  }

  std::string submit(const Submission& submission) override {
    return slurm::job_id(output_of({"sbatch", "--parsable", submission.script.string()}));
  }

  std::vector<QueuedTask> tasks(std::vector<Submission>& submissions) override {
    std::vector<QueuedTask> found;
    if (submissions.empty()) return found;
    const auto add = [&](const std::vector<slurm::QueueLine>& lines) {
      for (const auto& line : lines) {
        for (std::size_t i = 0; i < submissions.size(); ++i) {
          auto& submission = submissions[i];
          if (submission.id.empty() && !line.name.empty() && line.name == submission.name) submission.id = line.id;
          if (submission.id == line.id) found.push_back({i, line.task, line.state, line.word});
        }
      }
    };
    add(queue());
    add_ended(submissions, found, add);
    return found;
  }

  void cancel(const std::vector<std::string>& ids) override {
    if (ids.empty()) return;
    std::vector<std::string> words = {"scancel"};
    words.insert(words.end(), ids.begin(), ids.end());
    output_of(words);
  }

 private:
  // What the queue has forgotten is in the accounting, if there is one.
  template <typename Add>
  static void add_ended(const std::vector<Submission>& submissions, const std::vector<QueuedTask>& found,
                        const Add& add) {
    std::map<std::size_t, std::size_t> known;
    for (const auto& task : found)
      ++known[task.submission];
    std::string ids;
    for (std::size_t i = 0; i < submissions.size(); ++i) {
      if (known[i] == 0 && !submissions[i].id.empty()) ids += (ids.empty() ? "" : ",") + submissions[i].id;
    }
    if (ids.empty()) return;
    try {
      const auto ended =
          run_program({"sacct", "--noheader", "--parsable2", "--allocations", "--jobs=" + ids, "--format=JobID,State"});
      auto lines = ended.status == 0 ? slurm::account_lines(ended.output) : std::vector<slurm::QueueLine>();
      // The queue is what decides of those that are not ended: it does not know them.
      lines.erase(std::remove_if(lines.begin(), lines.end(),
                                 [](const auto& line) { return line.state != QueuedTask::State::ended; }),
                  lines.end());
      add(lines);
    } catch (const Error&) {
      // Without sacct it is only not known how they ended.
    }
  }

  std::vector<slurm::QueueLine> queue() {
    return slurm::queue_lines(output_of({"squeue", "--noheader", "--array", "--states=all", "--user=" + user_name(),
                                         std::string("--format=") + slurm::kQueueFormat}));
  }

  const std::string& configuration() {
    if (configuration_.empty()) configuration_ = output_of({"scontrol", "show", "config"});
    return configuration_;
  }

  LauncherOptions options_;
  std::string configuration_;
  bool arrays_are_off_ = false;
};

}  // namespace

std::unique_ptr<Launcher> slurm_launcher(const LauncherOptions& options) {
  return std::make_unique<SlurmLauncher>(options);
}

}  // namespace nbs::launch
