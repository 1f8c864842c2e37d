// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"
#include "nbs/tensor.h"
#include "nbs/training/members.h"

#include "arguments.h"
#include "commands.h"
#include "given_model.h"
#include "images.h"
#include "mask_and_score.h"
#include "process_setup.h"
#include "progress.h"
#include "run_checkpoint.h"
#include "run_data.h"
#include "stop_request.h"

namespace nbs::worker {

namespace {

class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Progress::Style style_of(const std::string& name) {
  if (name == "bar") return Progress::Style::bar;
  return name == "none" ? Progress::Style::none : Progress::Style::lines;
}

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Of the labeled images; each of several members leaves out one.
std::int64_t fold_count(const config::Pipeline& pipeline, std::int64_t labeled) {
  if (labeled < 2) return 0;
  const auto folds = pipeline.evaluation.options.folds;
  const auto members = pipeline.train.options.members;
  if (folds >= 0) return folds;
  return members > 1 ? std::min(labeled, members) : labeled;
}

std::unique_ptr<training::Members> members_of(Session& session, const RunData& data) {
  const auto& pipeline = session.pipeline();
  const auto members = pipeline.train.options.members;
  const auto folds = fold_count(pipeline, data.set.labeled);
  const auto make = [&session, folds = members > 1 ? 0 : folds](std::int64_t member) {
    auto components = session.make_components(folds, member);
    session.add_students(components, member);
    return components;
  };
  return std::make_unique<training::Members>(data.images, training::left_out_by_members(data.images, folds, members),
                                             make, training_settings(pipeline),
                                             static_cast<std::uint64_t>(pipeline.seed));
}

// Takes away what an earlier start in this folder has left, but for a finished result, which is only ever replaced.
void remove_leftovers(const record::RunDirectory& out) {
  for (const auto& folder : {out.folder(), out.model(), out.predictions(), out.labeled()})
    remove_unfinished_files(folder);
  std::error_code ended;
  for (std::filesystem::directory_iterator at(out.model(), ended), end; !ended && at != end; at.increment(ended)) {
    if (at->is_directory()) remove_unfinished_files(at->path());  // of a member
  }
  if (!out.has_result() || out.is_finished()) return;
  std::error_code ignored;
  for (const auto& left :
       {out.result(), out.report(), out.diagnostics(), out.model(), out.predictions(), out.labeled()})
    std::filesystem::remove_all(left, ignored);
}

training::TrainedRun train(training::Members& members, const record::RunDirectory& out,
                           std::optional<RunCheckpoint>& from, CheckpointWriter& checkpoints, Progress& progress) {
  std::uint64_t length_of_metrics = 0;
  if (from) {
    from->restore(members);
    from->require_metrics(out.metrics(), members);
    length_of_metrics = from->metrics_length();
    progress.begin_at(members.iteration());
    say(fmt::format("goes on from the checkpoint after {} iterations", members.iteration()));
    from.reset();  // it may take as much memory as training itself
  } else {
    std::error_code ignored;
    std::filesystem::remove(out.checkpoint(), ignored);
  }
  remove_leftovers(out);
  cut_file(out.metrics(), length_of_metrics);
  LineFile metrics(out.metrics());
  auto outcome = members.run(
      [&](const training::IterationReport& report) {
        metrics.append(record::metrics_line(report));
        progress.update(report.iteration + 1, record::progress_values(report));
      },
      [&] {
        const bool stopping = stop_requested();
        checkpoints.look(members, metrics, stopping);
        return stopping;
      });
  progress.finish();
  if (!outcome.explanation.empty() && !outcome.models.empty()) say(outcome.explanation);
  return outcome;
}

record::RunResult result_head(const config::Pipeline& pipeline, const training::TrainedRun& outcome) {
  record::RunResult result;
  result.name = pipeline.name;
  const auto& experiment = pipeline.experiment.options;
  const auto& data = pipeline.data.options;
  result.experiment = {experiment.dataset, experiment.method, pipeline.seed, data.split_seed, data.labeled};
  result.stop_reason = outcome.stop_reason;
  result.explanation = outcome.explanation;
  result.iterations = outcome.iterations;
  if (pipeline.train.options.members == 1 && !outcome.models.empty())
    result.checkpoint = {outcome.models.front().iteration, outcome.models.front().loss};
  result.seconds = outcome.seconds;
  return result;
}

// The checkpoint that the run goes on from; nothing for a run that begins.
std::optional<RunCheckpoint> checkpoint_to_resume(const Arguments& arguments, const record::RunDirectory& out,
                                                  const std::string& identity) {
  std::optional<RunCheckpoint> from;
  if (arguments.get("resume", "no") == "yes") {
    from.emplace(out.checkpoint());
    from->require_pipeline(identity);
  }
  return from;
}

// The finished run whose model is taken instead of training one; nothing for a run that trains.
std::optional<GivenModel> model_to_take(const Arguments& arguments) {
  const auto folder = arguments.get("model", "");
  if (folder.empty()) return std::nullopt;
  return GivenModel(folder);
}

training::TrainedRun take_over(const GivenModel& given, const record::RunDirectory& out) {
  say(fmt::format("takes the model of {}", given.name()));
  remove_leftovers(out);
  return given.take_over(out);
}

// Where checkpoints go and what they belong to, as far as it is known before the images are read.
CheckpointWriter::Run checkpoints_of(const Session& session, const record::RunDirectory& out,
                                     const record::Provenance& provenance, const std::string& identity) {
  CheckpointWriter::Run run;
  run.origin.version = version_of(record::version_text(), TORCH_VERSION, provenance.plugins);
  run.origin.pipeline = identity;
  run.file = out.checkpoint();
  run.metrics = out.metrics();
  run.threads = session.threads();
  run.minutes = session.pipeline().train.options.checkpoint_minutes;
  return run;
}

// The exit status of a run whose result is written. What it would have gone on from is of no more use, unless it was
// interrupted.
int end_run(const record::RunDirectory& out, const record::RunResult& result, bool predicted, bool explained) {
  if (result.stop_reason == record::StopReason::interrupted) return 130;
  std::error_code ignored;
  std::filesystem::remove(out.checkpoint(), ignored);
  return result.finished() && predicted && !result.missing_pictures && explained ? 0 : 1;
}

int run_to_the_end(const std::vector<std::string>& words) {
  const Clock clock;
  const Arguments arguments(words, {"out", "progress", "threads", "resume", "model"},
                            1);  // RESOLVED may lie in a folder "--x"
  const record::RunDirectory out(arguments.need("out"));
  handle_stop_signals();
  const auto style = style_of(arguments.get("progress", "lines"));
  const auto& resolved = arguments.need_plain(0, "RESOLVED");
  const auto identity = sha256(config::identity_of(read_file(resolved)));
  auto from = checkpoint_to_resume(arguments, out, identity);
  const auto threads = parse_integer(arguments.get("threads", "0"), "--threads", 0, 4096);
  Session session(resolved, from ? from->threads() : threads, say);
  set_up_process(session);
  const auto& pipeline = session.pipeline();
  Progress progress(style, pipeline.train.options.run_iterations());
  const auto provenance =
      record::provenance_of(pipeline, session.registry().catalog(), TORCH_VERSION, session.threads());
  auto run = checkpoints_of(session, out, provenance, identity);
  if (from) from->require_version(run.origin.version);
  if (!from) out.write_provenance(provenance);  // says when the run began
  const auto given = model_to_take(arguments);
  auto data = load_run_data(pipeline, out, session.threads(), style);
  const auto images = hash_of(data.set, 0);
  if (given) given->require_split_of(out);
  if (given) given->require_images(images);
  if (run.minutes > 0 || from) run.origin.images = hash_of(data.set, data.images.held_out);
  if (from) from->require_images(run.origin.images);
  auto members = given ? nullptr : members_of(session, data);
  session.make_postprocessors();  // whatever is wrong with them is better known before training
  const double before_training = clock.seconds() - (from ? from->training_seconds() : 0);
  const double before_total = from ? from->total_seconds() : 0;
  run.training_seconds = [&] { return clock.seconds() - before_training; };
  run.total_seconds = [&] { return clock.seconds() + before_total; };
  CheckpointWriter checkpoints(run);
  const auto outcome = given ? take_over(*given, out) : train(*members, out, from, checkpoints, progress);
  members.reset();
  require_unchanged(data.images, data.masks, "training");
  auto result = result_head(pipeline, outcome);
  result.images = images;
  if (given)
    result.model_from = given->name();
  else
    result.seconds->training = run.training_seconds();
  const auto write_result = [&] {
    result.seconds->total = run.total_seconds();
    result.peak_memory_mib = peak_memory_mib();
    out.write_result(result);
  };
  bool explained = true;
  if (!outcome.models.empty()) {
    explained = mask_and_score(session, outcome, data, out, progress, result, write_result);
  } else {
    // The reason comes last: a batch tells the last line of a run that failed.
    say("training ended before any profile was full, so there is nothing to predict from");
    if (!outcome.explanation.empty()) say(outcome.explanation);
  }
  write_result();
  return end_run(out, result, !outcome.models.empty(), explained);
}

}  // namespace

int run(const std::vector<std::string>& words) {
  try {
    return run_to_the_end(words);
  } catch (const data::ReadingStopped& stopped) {
    say(stopped.what());
    return 130;
  }
}

}  // namespace nbs::worker
