// SPDX-License-Identifier: Apache-2.0
#include "chained_maps.h"

#include <utility>

#include "nbs/error.h"
#include "nbs/evaluation/expected.h"
#include "nbs/torch.h"

#include "images.h"
#include "session.h"

namespace nbs::worker {

namespace {

using Rule = config::ThresholdRule;

evaluation::ThresholdChoice threshold_on_labeled(const config::EvaluationOptions& options,
                                                 const std::vector<evaluation::ScoredImage>& labeled) {
  switch (options.threshold_rule) {
    case Rule::labeled_f1:
      return evaluation::threshold_by_f1(labeled);
    case Rule::recall:
      return evaluation::threshold_by_recall(labeled, options.least_recall);
    case Rule::precision:
      return evaluation::threshold_by_precision(labeled, options.least_precision);
    case Rule::false_area:
      return evaluation::threshold_by_false_area(labeled, options.false_area);
    case Rule::fixed:
    case Rule::normal_area:
      break;
  }
  return {options.threshold, {}};
}

}  // namespace

ChainedMaps::ChainedMaps(const config::EvaluationOptions& options, Chain chain, const LabeledMaps& labeled,
                         const training::TrainingImages& images)
    : options_(options), images_(images), chain_(std::move(chain)), labeled_(labeled) {
  labeled_.maps = postprocess(chain_, labeled.maps, colors_of(labeled, images));
  choice_ = threshold_on_labeled(options_, labeled_images(labeled_, images_));
  unlabeled_ = torch::empty({images_.unlabeled, images_.size(), images_.size()});
}

torch::Tensor ChainedMaps::apply(const torch::Tensor& maps, const torch::Tensor& image) const {
  return postprocess(chain_, maps, image.unsqueeze(0).expand({maps.size(0), -1, -1, -1}).contiguous());
}

bool ChainedMaps::carries_over() const {
  return labeled_.honest && options_.threshold_rule != Rule::fixed && options_.threshold_rule != Rule::normal_area;
}

void ChainedMaps::add_unlabeled(const torch::Tensor& by_predictor) {
  const auto image = images_.image(images_.labeled + added_);
  unlabeled_[added_++].copy_(apply(training::combined(by_predictor).unsqueeze(0), image)[0]);
  const auto folds = by_predictor.slice(0, 1);
  if (!carries_over() || folds.size(0) == 0) return;
  const auto predicted = apply(folds, image).to(torch::kFloat64) >= choice_.threshold;
  predicted_ += predicted.sum().item<std::int64_t>();
  asked_ += predicted.numel();
}

void ChainedMaps::add_held_out(const torch::Tensor& by_predictor) {
  const auto first = images_.count() - images_.held_out;
  const auto image = images_.image(first + static_cast<std::int64_t>(held_out_.size()));
  held_out_.push_back(values_of(apply(training::combined(by_predictor).unsqueeze(0), image)[0]));
}

double ChainedMaps::threshold() const {
  if (options_.threshold_rule == Rule::normal_area) {
    if (held_out_.empty()) {
      throw Error(
          "evaluation.threshold_rule = \"normal_area\" needs anomaly-free images that the data set keeps apart; set "
          "data.auxiliary to how many, or choose another rule");
    }
    return evaluation::threshold_by_normal_area(held_out_, images_.size(), options_.normal_area);
  }
  if (asked_ == 0) return choice_.threshold;
  std::vector<std::vector<float>> maps;
  for (std::int64_t i = 0; i < unlabeled_.size(0); ++i)
    maps.push_back(values_of(unlabeled_[i]));
  return evaluation::threshold_by_share(maps, static_cast<double>(predicted_) / static_cast<double>(asked_));
}

std::optional<record::ExpectedScores> ChainedMaps::expected(const std::vector<evaluation::ScoredImage>& labeled) const {
  if (!labeled_.honest) return std::nullopt;
  if (options_.threshold_rule == Rule::normal_area) {
    const double chosen = threshold();
    return evaluation::expected_scores(labeled, [chosen](const auto&) { return chosen; });
  }
  return evaluation::expected_scores(
      labeled, [this](const auto& others) { return threshold_on_labeled(options_, others).threshold; });
}

}  // namespace nbs::worker
