// SPDX-License-Identifier: Apache-2.0
#include "scoring.h"

#include <algorithm>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/evaluation/scores.h"
#include "nbs/evaluation/threshold.h"
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

}  // namespace

torch::Tensor raw_probabilities(training::Inference& inference, const training::TrainingImages& images,
                                std::int64_t first, std::int64_t count) {
  auto maps = torch::empty({count, images.size(), images.size()});
  for (std::int64_t i = 0; i < count; ++i)
    maps[i].copy_(inference.probability(images.images[first + i]));
  return maps;
}

Predictions predict_all(training::Inference& inference, const training::TrainingImages& images,
                        const config::EvaluationOptions& options) {
  Predictions predictions;
  predictions.labelled = raw_probabilities(inference, images, 0, images.labelled);
  predictions.unlabelled = raw_probabilities(inference, images, images.labelled, images.unlabelled);
  const std::int64_t wanted = options.threshold_rule == config::ThresholdRule::normal_area ? images.held_out : 0;
  predictions.held_out = raw_probabilities(inference, images, images.count() - wanted, wanted);
  return predictions;
}

Predictions postprocess_all(const std::vector<std::shared_ptr<Postprocessor>>& chain, const Predictions& raw,
                            const training::TrainingImages& images) {
  const auto apply = [&](const torch::Tensor& maps, std::int64_t first) {
    return postprocess(chain, maps, images.images.slice(0, first, first + maps.size(0)));
  };
  Predictions predictions;
  predictions.labelled = apply(raw.labelled, 0);
  predictions.unlabelled = apply(raw.unlabelled, images.labelled);
  predictions.held_out = apply(raw.held_out, images.count() - raw.held_out.size(0));
  return predictions;
}

std::vector<evaluation::ScoredImage> labelled_images(const torch::Tensor& probabilities,
                                                     const training::TrainingImages& images) {
  std::vector<evaluation::ScoredImage> labelled;
  for (std::int64_t i = 0; i < images.labelled; ++i) {
    evaluation::ScoredImage image;
    image.size = images.size();
    image.probability = values_of(probabilities[i]);
    for (const float value : values_of(images.masks[i]))
      image.mask.push_back(value > 0.5F ? 1 : 0);
    labelled.push_back(std::move(image));
  }
  return labelled;
}

double choose_threshold(const config::EvaluationOptions& options, const Predictions& predictions,
                        const training::TrainingImages& images) {
  if (options.threshold_rule == config::ThresholdRule::fixed) return options.threshold;
  if (options.threshold_rule == config::ThresholdRule::normal_area) {
    if (predictions.held_out.size(0) == 0) {
      throw Error(
          "evaluation.threshold_rule = \"normal_area\" needs anomaly-free images that the data set keeps apart; set "
          "data.auxiliary to how many, or choose another rule");
    }
    std::vector<std::vector<float>> maps;
    for (std::int64_t i = 0; i < predictions.held_out.size(0); ++i)
      maps.push_back(values_of(predictions.held_out[i]));
    return evaluation::threshold_by_normal_area(maps, images.size(), options.normal_area);
  }
  return evaluation::threshold_by_labelled_f1(labelled_images(predictions.labelled, images), options.threshold_slack);
}

std::vector<evaluation::ScoredImage> open_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth) {
  std::vector<evaluation::ScoredImage> scored;
  for (std::int64_t i = 0; i < truth.count(); ++i) {
    evaluation::ScoredImage image;
    image.id = truth.id(i);
    image.type = truth.type(i);
    image.size = probabilities.size(1);
    image.probability = values_of(probabilities[i]);
    if (truth.has_mask(i)) image.mask = truth.mask(i);
    scored.push_back(std::move(image));
  }
  return scored;
}

nlohmann::ordered_json scores_of(const std::vector<evaluation::ScoredImage>& images, double threshold,
                                 const data::TrainingSet& set) {
  std::vector<evaluation::ScoredImage> with_mask;
  std::copy_if(images.begin(), images.end(), std::back_inserter(with_mask),
               [](const evaluation::ScoredImage& image) { return !image.mask.empty(); });
  if (with_mask.empty()) return nullptr;
  return evaluation::to_json(evaluation::score(with_mask, threshold, set.seen_types));
}

std::int64_t pictures_of(const std::vector<evaluation::ScoredImage>& scored) {
  return 3 * static_cast<std::int64_t>(scored.size());
}

MissingPictures write_predictions(const std::filesystem::path& folder,
                                  const std::vector<evaluation::ScoredImage>& scored, double threshold,
                                  const training::TrainingImages& images) {
  constexpr std::size_t kReasons = 5;
  const std::int64_t size = images.size();
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    return {pictures_of(scored),
            {fmt::format("the folder {} for the pictures cannot be made: {}", folder.string(), failed.message())}};
  MissingPictures missing;
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
    const auto* const pixels = images.images[images.labelled + static_cast<std::int64_t>(i)].data_ptr<float>();
    write(image.id + ".mask.png", evaluation::mask_png(mask, size, size));
    write(image.id + ".probability.png", evaluation::probability_png(image.probability, size, size));
    write(image.id + ".overlay.png", evaluation::overlay_png(pixels, mask, image.mask, size, size));
  }
  return missing;
}

}  // namespace nbs::worker
