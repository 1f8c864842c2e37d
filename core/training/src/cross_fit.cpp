// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/cross_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "nbs/not_finite.h"
#include "nbs/tensor.h"
#include "nbs/training/divergence.h"
#include "nbs/training/seeds.h"

namespace nbs::training {

namespace {

std::vector<std::int64_t> others(const std::vector<std::int64_t>& left_out, std::int64_t labeled) {
  std::vector<std::int64_t> rest;
  for (std::int64_t i = 0; i < labeled; ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) == left_out.end()) rest.push_back(i);
  }
  return rest;
}

bool show_anomaly(const LabeledViews& labeled, const std::vector<std::int64_t>& views) {
  return std::any_of(views.begin(), views.end(), [&](std::int64_t view) { return labeled.shows_anomaly(view); });
}

std::string fold_name(std::int64_t number) {
  return fmt::format("predictor.fold{}", number);
}

}  // namespace

std::vector<std::vector<std::int64_t>> fold_images(std::int64_t labeled, std::int64_t folds) {
  std::vector<std::vector<std::int64_t>> images(static_cast<std::size_t>(folds));
  for (std::int64_t i = 0; i < labeled; ++i)
    images[static_cast<std::size_t>(i % folds)].push_back(i);
  return images;
}

CrossFit::CrossFit(const std::vector<std::shared_ptr<Predictor>>& predictors, const LabeledViews& labeled,
                   const ProfileBuffer& profiles, const Settings& settings, std::uint64_t seed,
                   const std::vector<const PseudoLabels*>& pseudo)
    : steps_(settings.fold_steps),
      folds_(static_cast<std::int64_t>(predictors.size())),
      labeled_(labeled.whole().labeled()) {
  const auto left_out = fold_images(labeled_, folds_);
  for (std::int64_t k = 0; k < folds_; ++k) {
    const auto& out = left_out[static_cast<std::size_t>(k)];
    const auto& predictor = predictors[static_cast<std::size_t>(k)];
    auto taught = labeled.whole().views_of(others(out, labeled_));
    if (!show_anomaly(labeled, taught)) continue;
    auto random = std::make_unique<Random>(component_seed(seed, fold_name(k)));
    const auto* const masks = pseudo.empty() ? nullptr : pseudo[trained_.size()];
    PredictorTrainer trainer(*predictor, std::move(taught), labeled, profiles, settings, *random, masks);
    trained_.push_back({k, out, predictor, std::move(random), std::move(trainer)});
  }
}

// Turns are spread evenly, and those of the folds over the iterations.
bool CrossFit::has_turn(const Fold& fold) const {
  const double start = static_cast<double>(fold.number) / static_cast<double>(folds_);
  const auto steps_before = [&](std::int64_t turn) { return std::floor(static_cast<double>(turn) * steps_ + start); };
  return steps_before(turns_ + 1) > steps_before(turns_);
}

void CrossFit::train(std::int64_t iteration) {
  for (auto& fold : trained_) {
    if (has_turn(fold)) fold.trainer.train(iteration);
  }
  ++turns_;
}

std::vector<FoldModel> CrossFit::models() const {
  std::vector<FoldModel> models;
  for (const auto& fold : trained_) {
    auto& model = models.emplace_back();
    model.left_out = fold.left_out;
    try {
      fold.predictor->save(model.predictor);
    } catch (const NotFiniteError& error) {
      throw Diverged(fmt::format("{} in fold {}; the likely cause is a learning rate of the predictor that is too high",
                                 error.what(), fold.number));
    }
  }
  return models;
}

void CrossFit::save(StateWriter& writer, const std::string& name) const {
  writer.integer(name + ".turns", turns_);
  for (const auto& fold : trained_) {
    const auto of_fold = fmt::format("{}.fold{}", name, fold.number);
    State predictor;
    fold.predictor->save(predictor);
    writer.part(of_fold + ".predictor", predictor);
    writer.bytes(of_fold + ".random", fold.random->state());
  }
}

void CrossFit::load(const StateReader& reader, const std::string& name) {
  turns_ = reader.integer(name + ".turns", 0, std::numeric_limits<std::int64_t>::max());
  for (auto& fold : trained_) {
    const auto of_fold = fmt::format("{}.fold{}", name, fold.number);
    load_part(reader, *fold.predictor, of_fold + ".predictor");
    fold.random->set_state(reader.bytes(of_fold + ".random"));
  }
}

std::vector<FoldModel> CrossFit::load_models(const StateReader& reader, const std::string& name) {
  auto models = read_folds(reader, name, labeled_);
  reader.require(models.size() == trained_.size(),
                 fmt::format("\"{}\" has the predictors of {} folds, but this pipeline of {}", name, models.size(),
                             trained_.size()));
  for (std::size_t k = 0; k < models.size(); ++k) {
    reader.require(models[k].left_out == trained_[k].left_out,
                   fmt::format("fold {} of \"{}\" leaves out other images than this pipeline's", k, name));
    trained_[k].predictor->load(models[k].predictor);
  }
  return models;
}

}  // namespace nbs::training
