// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <sys/resource.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/evaluation/precision_recall.h"
#include "nbs/record/run_directory.h"
#include "nbs/tensor.h"
#include "nbs/training/seeds.h"

#include "arguments.h"
#include "chained_maps.h"
#include "commands.h"
#include "explaining.h"
#include "images.h"
#include "process_setup.h"
#include "progress.h"
#include "run_checkpoint.h"
#include "run_data.h"
#include "scoring.h"
#include "stop_request.h"
#include "tuning.h"

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

// Picks the postprocessors' options if the pipeline asks for it.
std::vector<OptionValues> tune(Session& session, const LabeledMaps& labeled, const training::WholeImages& images,
                               Progress& progress, record::RunResult& result) {
  const auto& pipeline = session.pipeline();
  if (!pipeline.evaluation.options.tune_postproc || pipeline.postproc.empty()) return {};
  const auto tuning = tune_postprocessors(session, pipeline.postproc, labeled, images,
                                          [&](const std::string& line) { progress.say(line); });
  result.tuned_postproc = tuning.values;
  result.tuning_f1 = {tuning.before, tuning.after};
  return tuning.values;
}

// The labeled images whose pictures are written: none unless their masks are honest.
struct ShownLabeled {
  std::vector<evaluation::ScoredImage> images;
  std::vector<torch::Tensor> colors;
  double threshold = 0.5;
};

// Behind the postprocessors, and without them, which says what they are worth.
struct Masked {
  ChainedMaps maps;
  std::optional<ChainedMaps> before_postproc;

  void predict(training::Inference& inference, const training::WholeImages& images, bool with_held_out) {
    const auto predicted = [&](std::int64_t image) {
      return images.stitched(image,
                             [&](const torch::Tensor& view) { return inference.probability_by_predictor(view); });
    };
    for (std::int64_t i = images.labeled(); i < images.labeled() + images.unlabeled(); ++i) {
      const auto by_predictor = predicted(i);
      maps.add_unlabeled(by_predictor);
      if (before_postproc) before_postproc->add_unlabeled(by_predictor);
    }
    if (!with_held_out) return;
    for (std::int64_t i = images.count() - images.held_out(); i < images.count(); ++i) {
      const auto by_predictor = predicted(i);
      maps.add_held_out(by_predictor);
      if (before_postproc) before_postproc->add_held_out(by_predictor);
    }
  }
};

// Predicts all images and chooses the threshold; no mask of an unlabeled image is there.
Masked mask(Session& session, training::Inference& inference, const training::WholeImages& images,
            const std::filesystem::path& folder, Progress& progress, record::RunResult& result) {
  const auto& options = session.pipeline().evaluation.options;
  const auto labeled = labeled_maps(inference, images);
  if (!labeled.honest && !labeled.images.empty()) {
    progress.say(fmt::format(
        "{}, so the threshold is chosen on images that the predictor was taught: it may be too high for others, and "
        "nothing is known of the F1 to expect",
        options.folds == 0 ? "evaluation.folds is 0"
                           : "no labeled image that shows an anomaly could be left out of a fold (evaluation.folds)"));
  }
  const auto chain = session.make_postprocessors(tune(session, labeled, images, progress, result));
  Masked masked{ChainedMaps(options, chain, labeled, images, folder), std::nullopt};
  if (!chain.empty()) masked.before_postproc.emplace(options, ChainedMaps::Chain(), labeled, images, folder);
  const auto& unmet = masked.maps.labeled_threshold().unmet;
  if (!unmet.empty()) progress.say(fmt::format("evaluation.threshold_rule: {}", unmet));
  masked.predict(inference, images, options.threshold_rule == config::ThresholdRule::normal_area);
  result.threshold_rule = options.threshold_rule;
  result.threshold = masked.maps.threshold();
  return masked;
}

// What is expected of other images.
ShownLabeled expect(Masked& masked, const RunData& data, const training::WholeImages& images,
                    record::RunResult& result) {
  ShownLabeled shown;
  if (!masked.maps.labeled().honest) return shown;
  shown.images = labeled_images(masked.maps.labeled(), images, data.set.ids);
  shown.colors = colors_of(masked.maps.labeled(), images);
  shown.threshold = masked.maps.labeled_threshold().threshold;
  result.expected = masked.maps.expected(shown.images);
  return shown;
}

// What the unlabeled images gave; returns the precision-recall curve.
std::optional<record::PrecisionRecallCurve> score(Masked& masked, const UnlabeledImages& unlabeled,
                                                  const data::ScoringSet& truth, const RunData& data,
                                                  const std::filesystem::path& folder, record::RunResult& result) {
  auto scorer = scored(unlabeled, *result.threshold, data.set, folder);
  if (scorer.images() == 0) return std::nullopt;
  result.scores = scorer.scores();
  auto curve = evaluation::precision_recall(scorer.levels(), *result.scores);
  if (!masked.before_postproc) return curve;
  auto& before = *masked.before_postproc;
  const UnlabeledImages without(before.unlabeled(), truth, true);
  result.scores->before_postproc = scored(without, before.threshold(), data.set, folder).scores();
  return curve;
}

PicturedImages pictured(const UnlabeledImages& unlabeled, const training::WholeImages& images, double threshold) {
  PicturedImages pictured;
  pictured.count = unlabeled.count();
  for (std::int64_t i = 0; i < unlabeled.count(); ++i)
    pictured.pictures += pictures_of_image(unlabeled.has_mask(i));
  pictured.image = [&](std::int64_t i) { return unlabeled.at(i); };
  pictured.colors = [&](std::int64_t i) { return images.colors(images.labeled() + i); };
  pictured.threshold = threshold;
  return pictured;
}

PicturedImages pictured(const ShownLabeled& labeled) {
  PicturedImages pictured;
  pictured.count = static_cast<std::int64_t>(labeled.images.size());
  pictured.pictures = pictured.count * pictures_of_image(true);
  pictured.image = [&](std::int64_t i) { return labeled.images[static_cast<std::size_t>(i)]; };
  pictured.colors = [&](std::int64_t i) { return labeled.colors[static_cast<std::size_t>(i)]; };
  pictured.threshold = labeled.threshold;
  return pictured;
}

std::optional<record::MissingPictures> write_pictures(const record::RunDirectory& out, const PicturedImages& unlabeled,
                                                      const PicturedImages& labeled) {
  auto missing = write_predictions(out.predictions(), unlabeled);
  if (labeled.count == 0) return missing;
  const auto more = write_predictions(out.labeled(), labeled);
  if (!missing || !more) return missing ? missing : more;
  missing->count += more->count;
  return missing;
}

void say_missing(const record::MissingPictures& missing) {
  for (const auto& reason : missing.reasons)
    say(reason);
  if (missing.count > static_cast<std::int64_t>(missing.reasons.size()))
    say(fmt::format("{} pictures could not be written", missing.count));
}

// Writes what explains the run; whether it could. No score is lost for it.
bool explain(const record::RunDirectory& out, const record::Diagnostics& diagnostics) {
  if (diagnostics.empty()) return true;
  try {
    out.write_diagnostics(diagnostics);
    return true;
  } catch (const Error& error) {
    say(error.what());
    return false;
  }
}

// What follows training: writes the model, masks all images, scores them and writes pictures. `write_result` writes
// what `result` holds by then. Returns whether what explains the run could be written.
bool mask_and_score(Session& session, const training::Components& components, const training::TrainingResult& outcome,
                    const RunData& data, const record::RunDirectory& out, Progress& progress, record::RunResult& result,
                    const std::function<void()>& write_result) {
  const auto& pipeline = session.pipeline();
  result.model = training::write_model(out.model(), *outcome.best);
  const auto& options = pipeline.evaluation.options;
  training::Inference inference(components, pipeline.profile.options, options.dihedral, data.images.size(),
                                *outcome.best);
  const training::WholeImages images(data.images);
  progress.say("predicting");
  auto masked = mask(session, inference, images, out.folder(), progress, result);
  require_unchanged(data.images, data.masks, "predicting");
  const auto labeled = expect(masked, data, images, result);
  const data::ScoringSet truth(data.listing, data.split, pipeline.data.options);
  const UnlabeledImages unlabeled(masked.maps.unlabeled(), truth, options.scores);
  record::Diagnostics diagnostics;
  diagnostics.curve = score(masked, unlabeled, truth, data, out.folder(), result);
  const auto shown = pictured(unlabeled, images, *result.threshold);
  const auto shown_labeled = pictured(labeled);
  if (options.predictions) {
    // The scores first: no picture is worth losing them. Until the pictures are there, the result says that they are
    // not.
    result.missing_pictures = {shown.pictures + shown_labeled.pictures, {record::kPicturesCutOff}};
    write_result();
  }
  diagnostics.sampled = outcome.sampled;
  diagnostics.labeled_profile = labeled_profile(inference, data.images, images);
  diagnostics.scored_profile = scored_profile(inference, data.images, images, unlabeled);
  if (options.predictions) {
    result.missing_pictures = write_pictures(out, shown, shown_labeled);
    if (result.missing_pictures) say_missing(*result.missing_pictures);
  }
  return explain(out, diagnostics);
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
  const Arguments arguments(words, {"out", "progress", "threads", "resume"}, 1);  // RESOLVED may lie in a folder "--x"
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
  Progress progress(style, pipeline.train.options.iterations + pipeline.train.options.predictor_iterations);
  const auto provenance =
      record::provenance_of(pipeline, session.registry().catalog(), TORCH_VERSION, session.threads());
  auto run = checkpoints_of(session, out, provenance, identity);
  if (from) from->require_version(run.origin.version);
  if (!from) out.write_provenance(provenance);  // says when the run began
  auto data = load_run_data(pipeline, out, session.threads(), style);
  if (run.minutes > 0 || from) run.origin.images = hash_of(data.set, data.images.held_out);
  if (from) from->require_images(run.origin.images);
  const auto components = session.make_components(fold_count(pipeline.evaluation.options, data.set.labeled));
  session.make_postprocessors();  // whatever is wrong with them is better known before training
  const double before_training = clock.seconds() - (from ? from->training_seconds() : 0);
  const double before_total = from ? from->total_seconds() : 0;
  run.training_seconds = [&] { return clock.seconds() - before_training; };
  run.total_seconds = [&] { return clock.seconds() + before_total; };
  CheckpointWriter checkpoints(run);
  const auto outcome = train(pipeline, data.images, components, out, from, checkpoints, progress);
  require_unchanged(data.images, data.masks, "training");
  auto result = result_head(pipeline, outcome);
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
