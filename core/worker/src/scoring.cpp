// SPDX-License-Identifier: Apache-2.0
#include "scoring.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <system_error>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/evaluation/expected.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/evaluation/scores.h"
#include "nbs/torch.h"

#include "images.h"

namespace nbs::worker {

namespace {

std::vector<std::uint8_t> thresholded(const std::vector<float>& probability, double threshold) {
  std::vector<std::uint8_t> mask(probability.size());
  for (std::size_t i = 0; i < mask.size(); ++i)
    mask[i] = probability[i] >= threshold ? 1 : 0;
  return mask;
}

double threshold_on_held_out(const config::EvaluationOptions& options, const torch::Tensor& held_out,
                             std::int64_t size) {
  if (held_out.size(0) == 0) {
    throw Error(
        "evaluation.threshold_rule = \"normal_area\" needs anomaly-free images that the data set keeps apart; set "
        "data.auxiliary to how many, or choose another rule");
  }
  std::vector<std::vector<float>> maps;
  for (std::int64_t i = 0; i < held_out.size(0); ++i)
    maps.push_back(values_of(held_out[i]));
  return evaluation::threshold_by_normal_area(maps, size, options.normal_area);
}

evaluation::ThresholdChoice threshold_on_labeled(const config::EvaluationOptions& options,
                                                 const std::vector<evaluation::ScoredImage>& labeled) {
  using Rule = config::ThresholdRule;
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

torch::Tensor colors_of(const LabeledMaps& labeled, const training::TrainingImages& images) {
  return images.images.index_select(0, torch::tensor(labeled.images, torch::kInt64));
}

torch::Tensor raw_probabilities(training::Inference& inference, const training::TrainingImages& images,
                                std::int64_t first, std::int64_t count) {
  auto maps = torch::empty({count, images.size(), images.size()});
  for (std::int64_t i = 0; i < count; ++i)
    maps[i].copy_(inference.probability(images.images[first + i]));
  return maps;
}

LabeledMaps labeled_maps(training::Inference& inference, const training::TrainingImages& images) {
  LabeledMaps labeled;
  std::vector<torch::Tensor> maps;
  bool any_anomaly = false;
  for (std::int64_t i = 0; i < images.labeled; ++i) {
    auto map = inference.out_of_fold(images.images[i], i);
    if (!map.defined()) continue;
    maps.push_back(std::move(map));
    labeled.images.push_back(i);
    any_anomaly = any_anomaly || images.masks[i].any().item<bool>();
  }
  if (any_anomaly) {
    labeled.maps = torch::stack(maps);
    labeled.honest = true;
    return labeled;
  }
  labeled.images.resize(static_cast<std::size_t>(images.labeled));
  std::iota(labeled.images.begin(), labeled.images.end(), 0);
  labeled.maps = raw_probabilities(inference, images, 0, images.labeled);
  labeled.honest = !inference.learned();
  return labeled;
}

Predictions predict_all(training::Inference& inference, const training::TrainingImages& images,
                        const config::EvaluationOptions& options) {
  Predictions predictions;
  predictions.labeled = labeled_maps(inference, images);
  predictions.unlabeled = raw_probabilities(inference, images, images.labeled, images.unlabeled);
  const std::int64_t wanted = options.threshold_rule == config::ThresholdRule::normal_area ? images.held_out : 0;
  predictions.held_out = raw_probabilities(inference, images, images.count() - wanted, wanted);
  return predictions;
}

Predictions postprocess_all(const std::vector<std::shared_ptr<Postprocessor>>& chain, const Predictions& raw,
                            const training::TrainingImages& images) {
  const auto apply = [&](const torch::Tensor& maps, std::int64_t first) {
    return postprocess(chain, maps, images.images.slice(0, first, first + maps.size(0)));
  };
  Predictions predictions = raw;
  predictions.labeled.maps = postprocess(chain, raw.labeled.maps, colors_of(raw.labeled, images));
  predictions.unlabeled = apply(raw.unlabeled, images.labeled);
  predictions.held_out = apply(raw.held_out, images.count() - raw.held_out.size(0));
  return predictions;
}

std::vector<evaluation::ScoredImage> labeled_images(const LabeledMaps& labeled, const training::TrainingImages& images,
                                                    const std::vector<std::string>& ids) {
  std::vector<evaluation::ScoredImage> scored;
  for (std::size_t i = 0; i < labeled.images.size(); ++i) {
    evaluation::ScoredImage image;
    if (!ids.empty()) image.id = ids[static_cast<std::size_t>(labeled.images[i])];
    image.size = images.size();
    image.probability = values_of(labeled.maps[static_cast<std::int64_t>(i)]);
    for (const float value : values_of(images.masks[labeled.images[i]]))
      image.mask.push_back(value > 0.5F ? 1 : 0);
    scored.push_back(std::move(image));
  }
  return scored;
}

evaluation::ThresholdChoice choose_threshold(const config::EvaluationOptions& options, const Predictions& predictions,
                                             const training::TrainingImages& images) {
  if (options.threshold_rule == config::ThresholdRule::normal_area)
    return {threshold_on_held_out(options, predictions.held_out, images.size()), {}};
  return threshold_on_labeled(options, labeled_images(predictions.labeled, images));
}

std::optional<record::ExpectedScores> expected_scores(const config::EvaluationOptions& options,
                                                      const std::vector<evaluation::ScoredImage>& labeled,
                                                      double threshold) {
  if (options.threshold_rule == config::ThresholdRule::normal_area)
    return evaluation::expected_scores(labeled, [threshold](const auto&) { return threshold; });
  return evaluation::expected_scores(
      labeled, [&](const auto& others) { return threshold_on_labeled(options, others).threshold; });
}

std::vector<evaluation::ScoredImage> without_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth) {
  std::vector<evaluation::ScoredImage> scored;
  for (std::int64_t i = 0; i < truth.count(); ++i) {
    evaluation::ScoredImage image;
    image.id = truth.id(i);
    image.type = truth.type(i);
    image.size = probabilities.size(1);
    image.probability = values_of(probabilities[i]);
    scored.push_back(std::move(image));
  }
  return scored;
}

std::vector<evaluation::ScoredImage> open_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth) {
  auto scored = without_masks(probabilities, truth);
  for (std::int64_t i = 0; i < truth.count(); ++i) {
    if (truth.has_mask(i)) scored[static_cast<std::size_t>(i)].mask = truth.mask(i);
  }
  return scored;
}

std::optional<record::Scores> scores_of(const std::vector<evaluation::ScoredImage>& images, double threshold,
                                        const data::TrainingSet& set) {
  std::vector<evaluation::ScoredImage> with_mask;
  std::copy_if(images.begin(), images.end(), std::back_inserter(with_mask),
               [](const evaluation::ScoredImage& image) { return !image.mask.empty(); });
  if (with_mask.empty()) return std::nullopt;
  return evaluation::score(with_mask, threshold, set.seen_types);
}

std::int64_t pictures_of(const std::vector<evaluation::ScoredImage>& scored) {
  return 3 * static_cast<std::int64_t>(scored.size());
}

std::optional<record::MissingPictures> write_predictions(const std::filesystem::path& folder,
                                                         const std::vector<evaluation::ScoredImage>& scored,
                                                         double threshold, const torch::Tensor& colors) {
  constexpr std::size_t kReasons = 5;
  const std::int64_t size = colors.size(2);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    return record::MissingPictures{
        pictures_of(scored),
        {fmt::format("the folder {} for the pictures cannot be made: {}", folder.string(), failed.message())}};
  }
  record::MissingPictures missing;
  const auto write = [&](const std::string& name, const std::string& png) {
    try {
      write_file(folder / name, png);
    } catch (const Error& error) {
      ++missing.count;
      if (missing.reasons.size() < kReasons) missing.reasons.emplace_back(error.what());
    }
  };
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const auto& image = scored[i];
    const auto mask = thresholded(image.probability, threshold);
    const auto* const pixels = colors[static_cast<std::int64_t>(i)].data_ptr<float>();
    write(image.id + ".mask.png", evaluation::mask_png(mask, size, size));
    write(image.id + ".probability.png", evaluation::probability_png(image.probability, size, size));
    write(image.id + ".overlay.png", evaluation::overlay_png(pixels, mask, image.mask, size, size));
  }
  if (missing.count == 0) return std::nullopt;
  return missing;
}

}  // namespace nbs::worker
