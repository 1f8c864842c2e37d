// SPDX-License-Identifier: Apache-2.0
#include "mask_and_score.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/evaluation/precision_recall.h"
#include "nbs/tensor.h"

#include "chained_maps.h"
#include "explaining.h"
#include "images.h"
#include "picture_files.h"
#include "scoring.h"
#include "tuning.h"

namespace nbs::worker {

namespace {

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

  void predict(training::Ensemble& ensemble, const training::WholeImages& images, bool with_held_out) {
    const auto predicted = [&](std::int64_t image) {
      return images.stitched(image, [&](const torch::Tensor& view) { return ensemble.probability_by_predictor(view); });
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

const char* why_not_honest(const config::EvaluationOptions& options, bool some_members_missing) {
  if (options.folds == 0) return "evaluation.folds is 0";
  if (some_members_missing) return "no member that leaves out a labeled image with an anomaly has a model";
  return "no labeled image that shows an anomaly could be left out of a fold (evaluation.folds)";
}

// Predicts all images and chooses the threshold; no mask of an unlabeled image is there.
Masked mask(Session& session, training::Ensemble& ensemble, const training::WholeImages& images,
            const std::filesystem::path& folder, bool some_missing, Progress& progress, record::RunResult& result) {
  const auto& options = session.pipeline().evaluation.options;
  const auto labeled = labeled_maps(ensemble, images);
  const bool is_chosen = options.threshold_rule != config::ThresholdRule::fixed &&
                         options.threshold_rule != config::ThresholdRule::normal_area;
  if (!labeled.honest && !labeled.images.empty() && is_chosen) {
    progress.say(
        fmt::format("{}, so the threshold is chosen on images that the predictor was taught: it may be too high for "
                    "others, and nothing is known of the F1 to expect",
                    why_not_honest(options, some_missing)));
  }
  const auto chain = session.make_postprocessors(tune(session, labeled, images, progress, result));
  Masked masked{ChainedMaps(options, chain, labeled, images, folder), std::nullopt};
  if (!chain.empty()) masked.before_postproc.emplace(options, ChainedMaps::Chain(), labeled, images, folder);
  const auto& unmet = masked.maps.labeled_threshold().unmet;
  if (!unmet.empty()) progress.say(fmt::format("evaluation.threshold_rule: {}", unmet));
  masked.predict(ensemble, images, options.threshold_rule == config::ThresholdRule::normal_area);
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

}  // namespace

bool mask_and_score(Session& session, const training::TrainedRun& outcome, const RunData& data,
                    const record::RunDirectory& out, Progress& progress, record::RunResult& result,
                    const std::function<void()>& write_result) {
  const auto& pipeline = session.pipeline();
  const std::vector<training::Model> models(outcome.models.begin(), outcome.models.end());
  result.model = training::write_models(out.model(), models);
  const auto& options = pipeline.evaluation.options;
  auto ensemble = session.make_ensemble(models);
  const training::WholeImages images(data.images);
  progress.say("predicting");
  const auto members = static_cast<std::size_t>(pipeline.train.options.members);
  if (models.size() < members) progress.say(fmt::format("{} of {} members make the masks", models.size(), members));
  auto masked = mask(session, ensemble, images, out.folder(), models.size() < members, progress, result);
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
  diagnostics.labeled_profile = labeled_profile(ensemble, data.images, images);
  diagnostics.scored_profile = scored_profile(ensemble, data.images, images, unlabeled);
  if (options.predictions) {
    result.missing_pictures = write_pictures(out, shown, shown_labeled);
    if (result.missing_pictures) say_missing(*result.missing_pictures);
  }
  return explain(out, diagnostics);
}

}  // namespace nbs::worker
