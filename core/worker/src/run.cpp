// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <sys/resource.h>

#include "nbs/base/files.h"
#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"
#include "nbs/torch.h"
#include "nbs/training/seeds.h"

#include "arguments.h"
#include "commands.h"
#include "images.h"
#include "process_setup.h"
#include "progress.h"
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

training::Settings settings_of(const config::Pipeline& pipeline) {
  return {pipeline.profile.options, pipeline.reward.options,  pipeline.buffer.options,
          pipeline.train.options,   pipeline.augment.options, pipeline.evaluation.options.fold_steps};
}

std::int64_t held_out_count(const config::EvaluationOptions& options, std::int64_t auxiliary) {
  const auto share = std::llround(options.normal_share * static_cast<double>(auxiliary));
  return std::max<std::int64_t>(1, share);
}

std::int64_t fold_count(const config::EvaluationOptions& options, std::int64_t labeled) {
  const std::int64_t folds = options.folds < 0 ? labeled : options.folds;
  return labeled < 2 ? 0 : folds;
}

// The images of a run.
struct RunData {
  data::Listing listing;
  data::Split split;
  data::TrainingSet set;
  training::TrainingImages images;
};

RunData load(const config::Pipeline& pipeline, const record::RunDirectory& out) {
  const auto& options = pipeline.data.options;
  RunData data;
  data.listing = data::list_samples(options);
  data.split = data::draw_split(data.listing, options);
  write_file(out.split(), data::manifest(data.listing, data.split, options));
  data.set = data::load_training_set(data.listing, data.split, options);
  data.images = as_tensors(data.set);
  if (pipeline.evaluation.options.threshold_rule == config::ThresholdRule::normal_area && data.images.auxiliary() > 0)
    data.images.held_out = held_out_count(pipeline.evaluation.options, data.images.auxiliary());
  return data;
}

training::TrainingResult train(const config::Pipeline& pipeline, const training::TrainingImages& images,
                               const training::Components& components, const record::RunDirectory& out,
                               Progress& progress) {
  const auto seed = training::component_seed(static_cast<std::uint64_t>(pipeline.seed), "training");
  training::Trainer trainer(images, components, settings_of(pipeline), seed);
  LineFile metrics(out.metrics());
  auto outcome = trainer.run(
      [&](const training::IterationReport& report) {
        metrics.append(record::metrics_line(report));
        progress.update(report.iteration + 1, record::progress_values(report));
      },
      stop_requested);
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
std::vector<OptionValues> tune(Session& session, const Predictions& raw, const training::TrainingImages& images,
                               Progress& progress, record::RunResult& result) {
  const auto& pipeline = session.pipeline();
  if (!pipeline.evaluation.options.tune_postproc || pipeline.postproc.empty()) return {};
  const auto tuning = tune_postprocessors(session, pipeline.postproc, raw.labeled, images,
                                          [&](const std::string& line) { progress.say(line); });
  result.tuned_postproc = tuning.values;
  result.tuning_f1 = {tuning.before, tuning.after};
  return tuning.values;
}

// The images whose pictures are written.
struct Shown {
  std::vector<evaluation::ScoredImage> unlabeled;
  std::vector<evaluation::ScoredImage> labeled;  // empty unless their masks are honest
  torch::Tensor labeled_colors;

  std::int64_t pictures() const { return pictures_of(unlabeled) + pictures_of(labeled); }
};

// Chooses the threshold and says what to expect, from the labeled images alone.
void choose(const config::EvaluationOptions& options, const Predictions& predictions, const RunData& data,
            Progress& progress, record::RunResult& result, Shown& shown) {
  if (!predictions.labeled.honest && predictions.labeled.maps.size(0) > 0) {
    progress.say(
        "no labeled image that shows an anomaly could be left out of a fold (evaluation.folds), so the threshold is "
        "chosen on images that the predictor was taught: it may be too high for others, and nothing is known of the F1 "
        "to expect");
  }
  const auto choice = choose_threshold(options, predictions, data.images);
  if (!choice.unmet.empty()) progress.say(fmt::format("evaluation.threshold_rule: {}", choice.unmet));
  result.threshold_rule = options.threshold_rule;
  result.threshold = choice.threshold;
  if (!predictions.labeled.honest) return;
  shown.labeled = labeled_images(predictions.labeled, data.images, data.set.ids);
  shown.labeled_colors = colors_of(predictions.labeled, data.images);
  result.expected = expected_scores(options, shown.labeled, choice.threshold);
}

// Chooses the threshold and scores.
Shown score(Session& session, const Predictions& raw, const RunData& data, Progress& progress,
            record::RunResult& result) {
  const auto& pipeline = session.pipeline();
  const auto& options = pipeline.evaluation.options;
  const auto tuned = tune(session, raw, data.images, progress, result);
  const auto predictions = postprocess_all(session.make_postprocessors(tuned), raw, data.images);
  Shown shown;
  choose(options, predictions, data, progress, result, shown);
  const data::ScoringSet truth(data.listing, data.split, pipeline.data.options);
  const auto scored_images = [&](const torch::Tensor& maps) {
    return options.scores ? open_masks(maps, truth) : without_masks(maps, truth);
  };
  shown.unlabeled = scored_images(predictions.unlabeled);
  result.scores = scores_of(shown.unlabeled, *result.threshold, data.set);
  if (!pipeline.postproc.empty() && result.scores) {
    // What the postprocessors are worth: the same run without them, at a threshold chosen without them.
    const double own = choose_threshold(options, raw, data.images).threshold;
    const auto before = scores_of(scored_images(raw.unlabeled), own, data.set);
    if (before) result.scores->before_postproc = *before;
  }
  return shown;
}

std::optional<record::MissingPictures> write_pictures(const record::RunDirectory& out, const Shown& shown,
                                                      double threshold, const training::TrainingImages& images) {
  const auto colors = images.images.slice(0, images.labeled, images.labeled + images.unlabeled);
  auto missing = write_predictions(out.predictions(), shown.unlabeled, threshold, colors);
  if (shown.labeled.empty()) return missing;
  const auto more = write_predictions(out.labeled(), shown.labeled, threshold, shown.labeled_colors);
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

}  // namespace

int run(const std::vector<std::string>& words) {
  const Clock clock;
  const Arguments arguments(words, {"out", "progress", "threads"}, 1);  // RESOLVED may lie in a folder "--x"
  const record::RunDirectory out(arguments.need("out"));
  handle_stop_signals();
  const auto style = style_of(arguments.get("progress", "lines"));
  Session session(arguments.need_plain(0, "RESOLVED"),
                  parse_integer(arguments.get("threads", "0"), "--threads", 0, 4096), say);
  set_up_process(session.threads());
  const auto& pipeline = session.pipeline();
  Progress progress(style, pipeline.train.options.iterations + pipeline.train.options.predictor_iterations);
  out.write_provenance(record::provenance_of(pipeline, session.registry().catalog(), TORCH_VERSION, session.threads()));

  auto data = load(pipeline, out);
  const auto components = session.make_components(fold_count(pipeline.evaluation.options, data.images.labeled));
  session.make_postprocessors();  // whatever is wrong with them is better known before training
  const double before_training = clock.seconds();
  const auto outcome = train(pipeline, data.images, components, out, progress);
  auto result = result_head(pipeline, outcome);
  result.seconds->training = clock.seconds() - before_training;
  const auto write_result = [&] {
    result.seconds->total = clock.seconds();
    result.peak_memory_mib = peak_memory_mib();
    out.write_result(result);
  };
  if (outcome.best) {
    result.model = training::write_model(out.model(), *outcome.best);
    const auto& options = pipeline.evaluation.options;
    training::Inference inference(components, pipeline.profile.options, options.dihedral, data.images.size(),
                                  *outcome.best);
    progress.say("predicting");
    const auto shown = score(session, predict_all(inference, data.images, options), data, progress, result);
    if (options.predictions) {
      // The scores first: no picture is worth losing them. Until the pictures are there, the result says that they are
      // not.
      result.missing_pictures = {shown.pictures(), {"the run was ended before all of them were written"}};
      write_result();
      result.missing_pictures = write_pictures(out, shown, *result.threshold, data.images);
      if (result.missing_pictures) say_missing(*result.missing_pictures);
    }
  } else {
    say("training ended before any profile was full, so there is nothing to predict from");
  }
  write_result();
  if (result.stop_reason == record::StopReason::interrupted) return 130;
  return result.finished() && outcome.best && !result.missing_pictures ? 0 : 1;
}

}  // namespace nbs::worker
