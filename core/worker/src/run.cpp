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
#include "nbs/run/json_text.h"
#include "nbs/run/progress.h"
#include "nbs/run/provenance.h"
#include "nbs/torch.h"
#include "nbs/training/seeds.h"

#include "arguments.h"
#include "commands.h"
#include "images.h"
#include "result_file.h"
#include "scoring.h"
#include "stop_request.h"
#include "tuning.h"

namespace nbs::worker {

namespace {

using Json = nlohmann::ordered_json;

run::Progress::Style style_of(const std::string& name) {
  if (name == "bar") return run::Progress::Style::bar;
  return name == "none" ? run::Progress::Style::none : run::Progress::Style::lines;
}

std::string metrics_line(const training::IterationReport& report) {
  Json json;
  json["iteration"] = report.iteration;
  for (const auto& [name, value] : report.values) {
    if (std::isfinite(value)) {
      json[name] = value;
    } else {
      json[name] = nullptr;
    }
  }
  return json.dump();
}

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

training::Settings settings_of(const config::Pipeline& pipeline) {
  return {pipeline.profile.options, pipeline.reward.options, pipeline.buffer.options, pipeline.train.options,
          pipeline.augment.options};
}

Json result_head(const config::Pipeline& pipeline, const training::Outcome& outcome) {
  Json result;
  result["name"] = pipeline.name;
  result["experiment"] = {{"dataset", pipeline.experiment.options.dataset},
                          {"method", pipeline.experiment.options.method},
                          {"seed", pipeline.seed},
                          {"split_seed", pipeline.data.options.split_seed},
                          {"labeled", pipeline.data.options.labeled}};
  result["ending"] = training::ending_name(outcome.ending);
  if (!outcome.explanation.empty()) result["explanation"] = outcome.explanation;
  result["iterations"] = outcome.iterations;
  if (outcome.best) {
    result["best"]["iteration"] = outcome.best->iteration;
    if (std::isfinite(outcome.best->loss)) result["best"]["l_pred"] = outcome.best->loss;
  }
  return result;
}

std::int64_t held_out_count(const config::EvaluationOptions& options, std::int64_t auxiliary) {
  const auto share = std::llround(options.normal_share * static_cast<double>(auxiliary));
  return std::max<std::int64_t>(1, share);
}

Json seconds_of(const training::Outcome& outcome, double training, double total) {
  const auto& stages = outcome.seconds;
  return {{"rollout", stages.rollout},
          {"autoencoder", stages.autoencoder},
          {"evaluate", stages.evaluate},
          {"predictor", stages.predictor},
          {"policy", stages.policy},
          {"training", training},
          {"total", total}};
}

void set_missing_pictures(Json& result, const MissingPictures& missing) {
  result.erase("missing_pictures");
  if (missing.count > 0) result["missing_pictures"] = {{"count", missing.count}, {"reasons", missing.reasons}};
}

}  // namespace

int run(const std::vector<std::string>& words) {
  const Arguments arguments(words, {}, 1);  // RESOLVED may lie in a folder "--x"
  const std::filesystem::path out = arguments.need("out");
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  handle_stop_signals();

  const auto style = style_of(arguments.get("progress", "lines"));
  Session session(arguments.need_plain(0, "RESOLVED"),
                  parse_integer(arguments.get("threads", "0"), "--threads", 0, 4096), say);
  const auto& pipeline = session.pipeline();
  run::Progress progress(style, pipeline.train.options.iterations + pipeline.train.options.finish);
  write_file(
      out / "provenance.json",
      run::json_text(run::provenance(pipeline, session.registry().catalog(), TORCH_VERSION, session.threads())) + "\n");

  const auto& data_options = pipeline.data.options;
  const auto listing = data::list_samples(data_options);
  const auto split = data::draw_split(listing, data_options);
  write_file(out / "split.json", data::manifest(listing, split, data_options));
  auto set = data::load_training_set(listing, split, data_options);
  auto images = as_tensors(set);
  if (pipeline.evaluation.options.threshold_rule == config::ThresholdRule::normal_area && images.auxiliary() > 0)
    images.held_out = held_out_count(pipeline.evaluation.options, images.auxiliary());

  auto components = session.make_components();
  session.make_postprocessors();  // whatever is wrong with them is better known before training
  const auto seed = training::component_seed(static_cast<std::uint64_t>(pipeline.seed), "training");
  training::Trainer trainer(images, components, settings_of(pipeline), seed);
  LineFile metrics(out / "metrics.jsonl");
  const double before_training = elapsed();
  const auto outcome = trainer.run(
      [&](const training::IterationReport& report) {
        metrics.append(metrics_line(report));
        std::vector<std::pair<std::string, double>> shown;
        for (const char* name : {"l_pred_smoothed", "ae_loss", "loss_ratio", "beta", "r_clone", "coverage"}) {
          if (const auto value = report.value(name)) shown.emplace_back(name, *value);
        }
        progress.update(report.iteration + 1, shown);
      },
      stop_requested);
  const double training_seconds = elapsed() - before_training;
  progress.finish();
  if (!outcome.explanation.empty()) say(outcome.explanation);

  Json result = result_head(pipeline, outcome);
  const auto write_result = [&] {
    result["seconds"] = seconds_of(outcome, training_seconds, elapsed());
    result["peak_memory_mib"] = peak_memory_mib();
    write_file(out / "result.json", run::json_text(result) + "\n");
  };
  MissingPictures missing;
  if (outcome.best) {
    result["model"] = training::write_model(out / "model", *outcome.best);
    training::Inference inference(components, pipeline.profile.options, pipeline.evaluation.options.dihedral,
                                  images.size(), *outcome.best);
    const auto& evaluation = pipeline.evaluation.options;
    progress.say("predicting");
    const auto raw = predict_all(inference, images, evaluation);
    std::vector<OptionValues> tuned;
    if (evaluation.tune_postproc && !pipeline.postproc.empty()) {
      const auto tuning = tune_postprocessors(session, pipeline.postproc, raw.labelled, images,
                                              [&](const std::string& line) { progress.say(line); });
      tuned = tuning.values;
      result["tuned_postproc"] = to_json(tuned);
      result["tuning_f1"] = {{"before", tuning.before}, {"after", tuning.after}};
    }
    const auto predictions = postprocess_all(session.make_postprocessors(tuned), raw, images);
    const double threshold = choose_threshold(evaluation, predictions, images);
    result["threshold_rule"] = choice_name(evaluation.threshold_rule, config::threshold_rules());
    result["threshold"] = threshold;
    const data::ScoringSet truth(listing, split, data_options);
    const auto scored = open_masks(predictions.unlabelled, truth);
    result["scores"] = scores_of(scored, threshold, set);
    if (!pipeline.postproc.empty() && !result["scores"].is_null()) {
      // What the postprocessors are worth: the same run without them, at a threshold chosen without them.
      const double own = choose_threshold(evaluation, raw, images);
      auto before = scores_of(open_masks(raw.unlabelled, truth), own, set);
      for (const char* detail : {"by_image", "by_type"})
        before.erase(detail);
      result["scores"]["before_postproc"] = std::move(before);
    }
    if (evaluation.predictions) {
      // The scores first: no picture is worth losing them. Until the pictures are there, the result says that they are
      // not.
      set_missing_pictures(result, {pictures_of(scored), {"the run was ended before all of them were written"}});
      write_result();
      missing = write_predictions(out / "predictions", scored, threshold, images);
      for (const auto& reason : missing.reasons)
        say(reason);
      if (missing.count > static_cast<std::int64_t>(missing.reasons.size()))
        say(fmt::format("{} pictures could not be written", missing.count));
      set_missing_pictures(result, missing);
    }
  } else {
    say("training ended before any profile was full, so there is nothing to predict from");
  }
  write_result();
  if (outcome.ending == training::Ending::interrupted) return 130;
  return outcome.ending == training::Ending::diverged || !outcome.best || missing.count > 0 ? 1 : 0;
}

}  // namespace nbs::worker
