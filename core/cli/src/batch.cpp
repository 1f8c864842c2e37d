// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/batch.h"

#include <algorithm>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/front_end.h"
#include "nbs/launch/machine.h"
#include "nbs/launch/standing.h"
#include "nbs/launch/submissions.h"
#include "nbs/record/run_directory.h"
#include "nbs/report/report.h"

#include "batch_display.h"
#include "batch_jobs.h"
#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

using State = launch::Job::State;

struct BatchArguments : PipelineArguments {
  std::string parent = "runs";
  launch::BatchOptions options;
  std::string memory;
  std::string progress = "auto";
  std::string launcher = "local";
  std::string launcher_file;
  std::map<std::string, std::vector<std::string>> launcher_flags;  // by the option's name
  bool status = false;
  bool cancel = false;
};

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

// Says at how many runs at a time the batch will be.
void say_size(const BatchArguments& arguments, std::size_t runs) {
  const int parallel = arguments.options.parallel;
  const int cores = arguments.options.cores > 0 ? arguments.options.cores : launch::usable_cores();
  if (parallel > cores && runs > static_cast<std::size_t>(cores)) {
    say(fmt::format("note: there are {} cores, so at most {} runs are done at a time, and not {}", cores, cores,
                    parallel));
  }
  if (arguments.progress == "json") return;
  put_now(fmt::format("{} runs, {} at a time; together up to {} of memory\n", runs, std::min(parallel, cores),
                      launch::memory_text(arguments.options.memory_mib)));
}

void write_report(const BatchArguments& arguments, BatchDisplay& display, bool& all_well) {
  try {
    report::write_folder_report(arguments.parent, plugins_for_reports(arguments.plugin_path));
    display.say_report(arguments.parent + "/index.html");
  } catch (const std::exception& error) {
    // It loses no result, and `nbs report` makes it later.
    say(fmt::format("nbs: no report of {}: {}", arguments.parent, error.what()));
    all_well = false;
  }
}

int run_here(BatchArguments arguments) {
  if (!arguments.launcher_file.empty() || !arguments.launcher_flags.empty()) {
    throw Error(
        fmt::format("{} is for a queue, but the launcher is local; add --launcher slurm or --launcher command",
                    arguments.launcher_flags.empty() ? "--launcher-file" : arguments.launcher_flags.begin()->first));
  }
  auto jobs = jobs_of(load_pipelines(arguments));
  const auto available = launch::available_memory_mib();
  arguments.options.memory_mib =
      launch::memory_mib(arguments.memory.empty() ? "80%" : arguments.memory, "--memory", available);
  say_size(arguments, jobs.size());
  const launch::FrontEndMark mark(arguments.parent);
  const auto display = batch_display(arguments.progress);
  auto end = run_jobs(jobs, arguments.parent, arguments.options, *display);
  // Those of 10,000 runs take as much memory as the report does, and are of no more use.
  for (auto& job : jobs)
    job.pipeline = {};
  write_report(arguments, *display, end.all_well);
  if (end.batch.failed_fast) {
    const auto left = std::count_if(jobs.begin(), jobs.end(), [](const launch::Job& job) {
      return job.state == State::waiting || job.state == State::elsewhere || job.state == State::again;
    });
    say(fmt::format("{} runs were not started, as one had failed (--fail-fast)", left));
  }
  if (end.batch.stop_signal != 0) {
    say(interrupted_text(jobs));
    return kToldToStop + end.batch.stop_signal;
  }
  return end.all_well ? kGood : kFailed;
}

int submit(const BatchArguments& arguments) {
  if (arguments.options.fail_fast)
    throw Error(
        "--fail-fast needs the launcher local; in a queue, use nbs batch --cancel when --status shows a failure");
  if (arguments.options.cores > 0) throw Error("--cores is for the launcher local; give --cpus to a queue");
  launch::SubmitOptions options;
  options.launcher = arguments.launcher;
  options.batch = arguments.options;
  std::vector<std::pair<std::string, std::string>> flags;
  for (const auto& [name, words] : arguments.launcher_flags) {
    for (const auto& word : words)
      flags.emplace_back(name, word);
  }
  if (!arguments.memory.empty()) flags.emplace_back("memory", arguments.memory);
  const std::filesystem::path named = arguments.launcher_file;
  options.options = launch::launcher_options(named.empty() ? launch::usual_launcher_file() : named, flags);
  const auto jobs = jobs_of(load_pipelines(arguments));
  const auto end = launch::submit_batch(jobs, arguments.parent, options);
  for (const auto& line : end.lines)
    put_now(line + "\n");
  put_now(fmt::format("of {} runs {} are finished, {} run elsewhere, {} were in the queue before, {} were submitted\n",
                      jobs.size(), end.finished, end.running, end.queued, end.submitted));
  if (end.submitted + end.queued > 0)
    put_now(fmt::format("nbs batch --status --out {} shows how they stand\n", arguments.parent));
  if (!end.problem.empty()) say(fmt::format("nbs: {}", end.problem));
  if (end.left > 0) {
    say(fmt::format("{} runs could not be submitted now{}; the same command submits them later", end.left,
                    end.problem.empty() ? ", as the queue takes no more jobs of you at a time (MaxSubmitJobs); more "
                                          "runs in one task (--cells-per-task) need fewer"
                                        : ""));
  }
  bool all_well = end.left == 0;
  if (end.finished > 0) {
    const auto display = batch_display("lines");
    write_report(arguments, *display, all_well);
  }
  return all_well ? kGood : kFailed;
}

int show_status(const BatchArguments& arguments) {
  constexpr std::size_t kMostLines = 100;
  using Standing = launch::Standing;
  const auto all = launch::standings(arguments.parent);
  std::map<Standing::State, std::size_t> counts;
  std::size_t lines = 0;
  for (const auto& run : all) {
    ++counts[run.state];
    if (run.state == Standing::State::finished || ++lines > kMostLines) continue;
    put(fmt::format("{:<9} {}{}{}\n", launch::standing_name(run.state), run.name,
                    run.iterations > 0 ? fmt::format("  after {} iterations", run.iterations) : "",
                    run.queue.empty() ? "" : "  " + run.queue));
  }
  if (lines > kMostLines) put(fmt::format("and {} more\n", lines - kMostLines));
  std::string text;
  for (const auto& [state, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, launch::standing_name(state));
  put(fmt::format("in {}: {}\n", arguments.parent, text.empty() ? "no runs" : text));
  for (const auto& front_end : launch::front_ends(arguments.parent))
    put(fmt::format("nbs batch works there: process {} on {}\n", front_end.process, front_end.host));
  return kGood;
}

int cancel(const BatchArguments& arguments) {
  const auto lines = launch::cancel_all(arguments.parent);
  for (const auto& line : lines)
    put(line + "\n");
  if (lines.empty()) put(fmt::format("nothing of {} runs or waits\n", arguments.parent));
  return kGood;
}

int batch(const BatchArguments& arguments) {
  if (arguments.status || arguments.cancel) {
    if (!arguments.files.empty())
      throw Error("--status and --cancel are for all runs of a folder (--out), so they take no pipeline files");
    return arguments.status ? show_status(arguments) : cancel(arguments);
  }
  return arguments.launcher == "local" ? run_here(arguments) : submit(arguments);
}

void add_queue_options(CLI::App& command, const std::shared_ptr<BatchArguments>& arguments) {
  const char* const group = "Queues";
  command
      .add_option("--launcher", arguments->launcher,
                  "local: run here. slurm: submit job arrays. command: submit to any queue")
      ->check(CLI::IsMember({"local", "slurm", "command"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--launcher-file", arguments->launcher_file,
                  "TOML file with the options below; otherwise ~/.config/nbs/launcher.toml, if it is there")
      ->check(CLI::ExistingFile)
      ->group(group);
  command.add_flag("--status", arguments->status, "Show how the runs in --out stand, here and in queues")->group(group);
  command.add_flag("--cancel", arguments->cancel, "End what runs or waits of --out, here and in queues")->group(group);
  const auto schema = schema_of<launch::LauncherOptions>();
  for (const auto& spec : schema.specs()) {
    const auto& name = spec.name;
    if (name == "memory" || name.find("_command") != std::string::npos) continue;
    std::string flag = "--" + name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    const bool list = spec.type == ValueType::texts;
    command
        .add_option_function<std::vector<std::string>>(
            flag, [arguments, name](const std::vector<std::string>& words) { arguments->launcher_flags[name] = words; },
            spec.doc + (list ? " (may be repeated)" : ""))
        ->allow_extra_args(false)
        ->take_last()
        ->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast)
        ->group(group);
  }
}

}  // namespace

void add_batch(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("batch", "Run many pipeline files; finished runs are not repeated");
  const auto arguments = std::make_shared<BatchArguments>();
  arguments->add_to(*command);
  command->get_option("FILE")->required(false);
  command->add_option("-o,--out", arguments->parent, "Folder that run folders are made in")->capture_default_str();
  add_job_options(*command, arguments->options);
  command->add_option("--memory", arguments->memory,
                      "What the runs may take together, such as 12G or 80% of what is available (80%); of each task in "
                      "a queue, as the queue writes it");
  command->add_flag("--fail-fast", arguments->options.fail_fast, "Start no more runs when one has failed");
  command
      ->add_option("--progress", arguments->progress,
                   "What is shown: live (on a terminal also how far the runs are), lines or json")
      ->check(CLI::IsMember({"auto", "live", "lines", "json"}))
      ->capture_default_str();
  add_queue_options(*command, arguments);
  command->footer(
      "All files are checked before anything is trained. A failed run stops no other; its messages are in log.txt.\n"
      "Ctrl-C: running runs end cleanly, nothing new is started, the report is written; the same command goes on.\n"
      "A run that was cut off goes on from its checkpoint. Several batches may share a folder; each run is done once.\n"
      "Results change with the number of threads in their last digits: keep -j the same to repeat a batch exactly.\n"
      "Examples: nbs batch pipelines/crackforest/*.toml --set data.root=/data/crackforest --out runs/crackforest\n"
      "          nbs batch sweep.toml --launcher slurm --partition long --time 04:00:00 --memory 8G --cpus 4");
  command->callback([arguments, &action] {
    if (arguments->files.empty() && !arguments->status && !arguments->cancel) throw CLI::RequiredError("FILE");
    action = [arguments] { return batch(*arguments); };
  });
}

}  // namespace nbs::cli
