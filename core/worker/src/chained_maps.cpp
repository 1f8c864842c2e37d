// SPDX-License-Identifier: Apache-2.0
#include "chained_maps.h"

#include <utility>

#include "nbs/error.h"
#include "nbs/evaluation/expected.h"
#include "nbs/tensor.h"

#include "chained_rows.h"
#include "images.h"

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
                         const training::WholeImages& images, const std::filesystem::path& folder)
    : options_(options),
      images_(images),
      chain_(std::move(chain)),
      labeled_(labeled),
      unlabeled_(folder),
      levels_(folder) {
  const auto colors = colors_of(labeled, images);
  for (std::size_t i = 0; i < labeled_.maps.size(); ++i)
    labeled_.maps[i] = postprocess(chain_, labeled.maps[i], colors[i]);
  choice_ = threshold_on_labeled(options_, labeled_images(labeled_, images_));
}

// Whether the folds' predictors are asked what they say of unlabeled images, each alone: if what they say of labeled
// ones is known, too, and a threshold for both.
bool ChainedMaps::asks_folds() const {
  return labeled_.honest && options_.threshold_rule != Rule::normal_area;
}

bool ChainedMaps::carries_over() const {
  return asks_folds() && options_.threshold_rule != Rule::fixed;
}

void ChainedMaps::add_unlabeled(const torch::Tensor& by_predictor) {
  const auto image = images_.colors(images_.labeled() + unlabeled_.count());
  const auto folds = by_predictor.size(0) - labeled_.fully_taught;
  const auto combined = training::combined(by_predictor, labeled_.fully_taught);
  if (!asks_folds() || folds == 0) {
    unlabeled_.add(postprocess(chain_, combined, image));
    return;
  }
  const auto maps =
      postprocess_all(chain_, torch::cat({combined.unsqueeze(0), by_predictor.slice(0, labeled_.fully_taught)}), image);
  unlabeled_.add(maps[0]);
  if (carries_over()) levels_.add(unlabeled_.at(unlabeled_.count() - 1));
  for (std::int64_t fold = 1; fold <= folds; ++fold) {
    for (const float probability : values_of(maps[fold]))
      (probability >= choice_.threshold ? by_folds_.predicted : by_folds_.others).add(probability);
  }
  by_folds_.predictors = folds;
  ++by_folds_.images;
}

void ChainedMaps::add_held_out(const torch::Tensor& by_predictor) {
  const auto first = images_.count() - images_.held_out();
  const auto image = images_.colors(first + static_cast<std::int64_t>(held_out_.size()));
  const auto map = postprocess(chain_, training::combined(by_predictor, labeled_.fully_taught), image);
  auto& held_out = held_out_.emplace_back();
  held_out.height = map.size(0);
  held_out.width = map.size(1);
  held_out.probability = values_of(map);
}

double ChainedMaps::threshold() {
  if (options_.threshold_rule == Rule::normal_area) {
    if (held_out_.empty()) {
      throw Error(
          "evaluation.threshold_rule = \"normal_area\" needs anomaly-free images that the data set keeps apart; set "
          "data.auxiliary to how many, or choose another rule");
    }
    return evaluation::threshold_by_normal_area(held_out_, options_.normal_area);
  }
  if (levels_.pixels() == 0) return choice_.threshold;
  const auto predicted = static_cast<double>(by_folds_.predicted.pixels());
  return evaluation::threshold_by_share(levels_,
                                        predicted / (predicted + static_cast<double>(by_folds_.others.pixels())));
}

std::optional<record::ExpectedScores> ChainedMaps::expected(const std::vector<evaluation::ScoredImage>& labeled) {
  if (!labeled_.honest) return std::nullopt;
  if (options_.threshold_rule == Rule::normal_area) {
    const double chosen = threshold();
    return evaluation::expected_scores(labeled, [chosen](const auto&) { return chosen; });
  }
  const auto rule = [this](const auto& others) { return threshold_on_labeled(options_, others).threshold; };
  return evaluation::expected_scores(labeled, rule, by_folds_);
}

}  // namespace nbs::worker
