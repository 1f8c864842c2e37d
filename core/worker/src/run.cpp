// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <functional>

#include <fmt/format.h>
#include <sys/resource.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"
#include "nbs/tensor.h"
#include "nbs/training/seeds.h"

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

std::int64_t fold_count(const config::EvaluationOptions& options, std::int64_t labeled) {
  const std::int64_t folds = options.folds < 0 ? labeled : options.folds;
  return labeled < 2 ? 0 : folds;
}

// Takes away what an earlier start in this folder has left, but for a finished result, which is only ever replaced.
void remove_leftovers(const record::RunDirectory& out) {
  for (const auto& folder : {out.folder(), out.model(), out.predictions(), out.labeled()})
    remove_unfinished_files(folder);
  if (!out.has_result() || out.is_finished()) return;
  std::error_code ignored;
  for (const auto& left :
       {out.result(), out.report(), out.diagnostics(), out.model(), out.predictions(), out.labeled()})
    std::filesystem::remove_all(left, ignored);
}

training::TrainingResult train(const config::Pipeline& pipeline, const training::TrainingImages& images,
                               const training::Components& components, const record::RunDirectory& out,
                               std::optional<RunCheckpoint>& from, CheckpointWriter& checkpoints, Progress& progress) {
  const auto seed = training::component_seed(static_cast<std::uint64_t>(pipeline.seed), "training");
  training::Trainer trainer(images, components, training_settings(pipeline), seed);
  std::uint64_t length_of_metrics = 0;
  if (from) {
    from->restore(trainer);
    from->require_metrics(out.metrics(), trainer);
    length_of_metrics = from->metrics_length();
    progress.begin_at(trainer.iteration());
    say(fmt::format("goes on from the checkpoint after {} iterations", trainer.iteration()));
    from.reset();  // it may take as much memory as training itself
  } else {
    std::error_code ignored;
    std::filesystem::remove(out.checkpoint(), ignored);
  }
  remove_leftovers(out);
  cut_file(out.metrics(), length_of_metrics);
  LineFile metrics(out.metrics());
  auto outcome = trainer.run(
      [&](const training::IterationReport& report) {
        metrics.append(record::metrics_line(report));
        progress.update(report.iteration + 1, record::progress_values(report));
      },
      [&] {
        const bool stopping = stop_requested();
        checkpoints.look(trainer, metrics, stopping);
        return stopping;
      });
  progress.finish();
  if (!outcome.explanation.empty()) say(outcome.explanation);
  return outcome;
}

record::RunResult result_head(const config::Pipeline& pipeline, const training::TrainingResult& outcome) {
  record::RunResult result;
  result.name = pipeline.name;
  const auto& experiment = pipeline.experiment.options;
  const auto& data = pipeline.data.options;
  result.experiment = {experiment.dataset, experiment.method, pipeline.seed, data.split_seed, data.labeled};
  result.stop_reason = outcome.stop_reason;
  result.explanation = outcome.explanation;
  result.iterations = outcome.iterations;
  if (outcome.best) result.checkpoint = {outcome.best->iteration, outcome.best->loss};
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

training::TrainingResult take_over(const GivenModel& given, const record::RunDirectory& out) {
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
  Progress progress(style, pipeline.train.options.all_iterations());
  const auto provenance =
      record::provenance_of(pipeline, session.registry().catalog(), TORCH_VERSION, session.threads());
  auto run = checkpoints_of(session, out, provenance, identity);
  if (from) from->require_version(run.origin.version);
  if (!from) out.write_provenance(provenance);  // says when the run began
  const auto given = model_to_take(arguments);
  auto data = load_run_data(pipeline, out, session.threads(), style);
  if (given) given->require_split_of(out);
  if (run.minutes > 0 || from) run.origin.images = hash_of(data.set, data.images.held_out);
  if (from) from->require_images(run.origin.images);
  auto components = session.make_components(fold_count(pipeline.evaluation.options, data.set.labeled));
  if (!given) session.add_students(components);
  session.make_postprocessors();  // whatever is wrong with them is better known before training
  const double before_training = clock.seconds() - (from ? from->training_seconds() : 0);
  const double before_total = from ? from->total_seconds() : 0;
  run.training_seconds = [&] { return clock.seconds() - before_training; };
  run.total_seconds = [&] { return clock.seconds() + before_total; };
  CheckpointWriter checkpoints(run);
  const auto outcome =
      given ? take_over(*given, out) : train(pipeline, data.images, components, out, from, checkpoints, progress);
  require_unchanged(data.images, data.masks, "training");
  auto result = result_head(pipeline, outcome);
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
  if (outcome.best) {
    explained = mask_and_score(session, components, outcome, data, out, progress, result, write_result);
  } else {
    say("training ended before any profile was full, so there is nothing to predict from");
  }
  write_result();
  return end_run(out, result, outcome.best.has_value(), explained);
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
