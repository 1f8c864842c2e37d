// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/batch.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/worker_process.h"
#include "nbs/record/bootstrap.h"
#include "nbs/record/run_directory.h"
#include "nbs/report/report.h"

#include "batch_display.h"
#include "commands.h"
#include "outcome.h"
#include "pipelines.h"
#include "shipped.h"

namespace nbs::cli {

namespace {

struct ChooseArguments : PipelineArguments {
  std::string parent = "runs/choose";
  double minutes = 0;
};

// A pipeline that may be chosen, and what its run expects.
struct Contender {
  std::string label;
  config::Pipeline pipeline;
  config::Pipeline trial;  // the same, but its run opens no mask of an unlabeled image and writes no pictures
  std::filesystem::path folder;
  std::optional<record::ExpectedScores> expected;
  std::string problem;  // why nothing is expected
};

class Timer {
 public:
  double minutes() const {
    return std::chrono::duration<double, std::ratio<60>>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Of the labeled images together, each masked by predictors that were not taught it: the same images for all
// candidates.
double labeled_f1(const record::ExpectedScores& expected) {
  return record::weighted_scores(expected.by_image).f1.value_or(0);
}

// Those that expect nothing come last.
bool better(const Contender& a, const Contender& b) {
  if (!a.expected || !b.expected) return a.expected.has_value() && !b.expected;
  return record::expects_more(*a.expected, *b.expected);
}

void read_expected(Contender& candidate) {
  try {
    const auto result = record::RunDirectory(candidate.folder).read_result();
    candidate.expected = result.expected;
    if (!candidate.expected)
      candidate.problem = "expects nothing: no labeled image that shows an anomaly could be left out of a fold";
  } catch (const Error& error) {
    candidate.problem = error.what();
  }
}

// Runs a candidate, unless it was run before; it is the `number`-th of `total`. Returns the signal that told nbs to
// stop, or 0.
int try_candidate(Contender& candidate, const std::string& parent, BatchDisplay& display, std::size_t number,
                  std::size_t total) {
  std::vector<launch::Job> jobs(1);
  jobs[0].label = candidate.label;
  jobs[0].pipeline = candidate.trial;
  launch::BatchWatcher watcher;
  watcher.changed = [&](const launch::Job& job) { display.changed(job, number, total); };
  watcher.ticked = [&](const launch::BatchStatus& status) { display.ticked(status, number - 1, total); };
  const auto end = launch::run_batch(jobs, parent, {}, watcher);
  candidate.folder = jobs[0].folder;
  if (jobs[0].state == launch::Job::State::done || jobs[0].state == launch::Job::State::skipped) {
    read_expected(candidate);
  } else {
    candidate.problem = fmt::format("did not finish{}", jobs[0].problem.empty() ? "" : ": " + jobs[0].problem);
    if (!candidate.folder.empty())
      candidate.problem += fmt::format("; see {}", record::RunDirectory(candidate.folder).log().string());
  }
  return end.stop_signal;
}

// Tries one after the other as long as there is time. Returns the signal that told nbs to stop, or 0.
int try_all(std::vector<Contender>& candidates, const ChooseArguments& arguments, const Timer& clock) {
  const auto display = batch_display("auto");
  double longest = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    auto& candidate = candidates[i];
    const double before = clock.minutes();
    const bool is_there = !launch::finished_run(arguments.parent, candidate.trial).empty();  // and takes no time
    if (!is_there && arguments.minutes > 0 && longest > 0 && before + longest > arguments.minutes) {
      candidate.problem =
          fmt::format("was not tried: {:.1f} of {} minutes had passed, and a candidate took up to {:.1f}", before,
                      arguments.minutes, longest);
      put_now(fmt::format("skipped   {}: {}\n", candidate.label, candidate.problem));
      continue;
    }
    if (const int signal = try_candidate(candidate, arguments.parent, *display, i + 1, candidates.size()))
      return signal;
    if (!is_there) longest = std::max(longest, clock.minutes() - before);
  }
  return 0;
}

// How the F1 on the labeled images differs from the best candidate's, with an interval.
std::string difference_text(const record::ExpectedScores& own, const record::ExpectedScores& best) {
  const auto less = record::f1_difference(best.by_image, own.by_image);
  if (!less) return ", which are others than the chosen one's";
  const double difference = labeled_f1(best) - labeled_f1(own);
  if (difference < 0) return fmt::format(", {:.3f} more ({:.3f} to {:.3f})", -difference, -less->high, -less->low);
  return fmt::format(", {:.3f} less ({:.3f} to {:.3f})", difference, less->low, less->high);
}

std::string line_of(const Contender& candidate, const Contender& best) {
  if (!candidate.expected) return candidate.label + ": " + candidate.problem;
  auto line = fmt::format("{}: {}; on the labeled images F1 {:.3f}", candidate.label,
                          expected_text(*candidate.expected), labeled_f1(*candidate.expected));
  if (&candidate != &best) line += difference_text(*candidate.expected, *best.expected);
  return line;
}

// How the others stand beside the best, one line each, best first.
std::vector<std::string> comparison(const std::vector<const Contender*>& ranked) {
  std::vector<std::string> lines;
  lines.reserve(ranked.size());
  for (const auto* const candidate : ranked)
    lines.push_back(line_of(*candidate, *ranked.front()));
  return lines;
}

std::string chosen_text(const Contender& best, const std::vector<std::string>& lines, std::int64_t images) {
  std::string text = fmt::format(
      "# Chosen by `nbs choose`: the pipeline with the highest expected F1, an estimate for all images that are not\n"
      "# labeled, whose masks were not opened. In brackets: where it should lie nine times of ten. F1 on the labeled\n"
      "# images: of all {}, each masked by predictors that were not taught it.\n",
      images);
  for (auto line : lines) {
    std::replace(line.begin(), line.end(), '\n', ' ');  // a comment ends with its line
    text += "# - " + line + "\n";
  }
  text += fmt::format("# The run that was judged: {}\n\n", best.folder.string());
  return text + config::to_toml(best.pipeline);
}

std::vector<const Contender*> best_first(const std::vector<Contender>& candidates) {
  std::vector<const Contender*> ranked;
  ranked.reserve(candidates.size());
  for (const auto& candidate : candidates)
    ranked.push_back(&candidate);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto* a, const auto* b) { return better(*a, *b); });
  return ranked;
}

std::vector<Contender> load_candidates(const PipelineArguments& arguments) {
  auto pipelines = load_pipelines(arguments);
  auto without_scores = arguments;
  for (const char* const override : {"evaluation.scores=false", "evaluation.predictions=false"})
    without_scores.overrides.emplace_back(override);
  auto trials = load_pipelines(without_scores);
  std::vector<Contender> candidates;
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    auto& [label, pipeline] = pipelines[i];
    if (pipeline.evaluation.options.folds == 0)
      throw Error(fmt::format("{}: evaluation.folds is 0, and without folds nothing can be compared", label));
    if (pipeline.data.options.labeled < 2) {
      throw Error(
          fmt::format("{}: data.labeled is {}, but candidates are compared on labeled images that they were not "
                      "taught; label at least two images that show anomalies",
                      label, pipeline.data.options.labeled));
    }
    candidates.push_back({std::move(label), std::move(pipeline), std::move(trials[i].pipeline), {}, {}, {}});
  }
  return candidates;
}

// The worker says what is wrong with a candidate's data.
void require_data(const Contender& candidate) {
  const TemporaryFile file("data", config::to_toml(candidate.trial));
  try {
    launch::worker_output({"data", file.path().string()});
  } catch (const Error& error) {
    throw Error(
        fmt::format("{}: its data cannot be used, so no candidate was tried: {}", candidate.label, error.what()));
  }
}

// Known before the first candidate is tried, which may take long. Most share one [data] section, which is checked once.
void require_data(const std::vector<Contender>& candidates) {
  for (auto candidate = candidates.begin(); candidate != candidates.end(); ++candidate) {
    const bool known = std::any_of(candidates.begin(), candidate, [&](const Contender& earlier) {
      return earlier.trial.data.values == candidate->trial.data.values;
    });
    if (!known) require_data(*candidate);
  }
}

int choose(const ChooseArguments& given) {
  const Timer clock;
  auto arguments = given;
  if (arguments.files.empty()) arguments.files = shipped_candidates();
  auto candidates = load_candidates(arguments);
  require_data(candidates);
  put_now(fmt::format("{} candidate{}\n", candidates.size(), candidates.size() == 1 ? "" : "s"));
  if (const int signal = try_all(candidates, arguments, clock)) {
    say("interrupted: nothing was chosen; the same command goes on with the candidates that are left");
    return kToldToStop + signal;
  }
  const auto ranked = best_first(candidates);
  const auto& best = *ranked.front();
  const auto lines = comparison(ranked);
  if (!best.expected) {
    throw Error(fmt::format("no candidate has an F1 to expect, so none can be chosen:\n{}", fmt::join(lines, "\n")));
  }
  put_now("\n");
  for (const auto& line : lines)
    put_now(line + "\n");
  const auto file = std::filesystem::path(arguments.parent) / "chosen.toml";
  write_file(file, chosen_text(best, lines, static_cast<std::int64_t>(best.expected->by_image.size())));
  report::write_folder_report(arguments.parent, plugins_for_reports(arguments.plugin_path));
  put_now(
      fmt::format("\nchosen: {} -> {}\n"
                  "next: nbs run {} --model {}    masks all images with the model that was judged, with a report\n"
                  "      nbs predict {} IMAGES --out masks    masks new images\n",
                  best.label, file.string(), file.string(), best.folder.string(), best.folder.string()));
  return kGood;
}

}  // namespace

void add_choose(CLI::App& app, Action& action) {
  auto* const command =
      app.add_subcommand("choose", "Try candidates on your data and write chosen.toml for the one that does best");
  const auto arguments = std::make_shared<ChooseArguments>();
  arguments->add_to(*command);
  command->get_option("FILE")->required(false)->description("Candidates; without any, those that nbs comes with");
  command->add_option("-o,--out", arguments->parent, "Folder for the candidates' runs and chosen.toml")
      ->capture_default_str();
  command->add_option("--minutes", arguments->minutes, "Start no candidate that would end later; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->footer(
      "Candidates are compared by the F1 that they expect on the images that are not labeled, whose masks are not "
      "opened.\n"
      "Candidates that were run before are not run again.\n"
      "Example: nbs choose --set data.root=/data/mine --set data.format=folder --minutes 30");
  command->callback([arguments, &action] { action = [arguments] { return choose(*arguments); }; });
}

}  // namespace nbs::cli
