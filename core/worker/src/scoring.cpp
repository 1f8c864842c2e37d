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

std::vector<evaluation::ScoredImage> with_masks(const std::vector<evaluation::ScoredImage>& images) {
  std::vector<evaluation::ScoredImage> with_mask;
  std::copy_if(images.begin(), images.end(), std::back_inserter(with_mask),
               [](const evaluation::ScoredImage& image) { return !image.mask.empty(); });
  return with_mask;
}

std::optional<record::Scores> scores_of(const std::vector<evaluation::ScoredImage>& images, double threshold,
                                        const data::TrainingSet& set) {
  const auto with_mask = with_masks(images);
  if (with_mask.empty()) return std::nullopt;
  return evaluation::score(with_mask, threshold, set.seen_types);
}

std::int64_t pictures_of(const std::vector<evaluation::ScoredImage>& scored) {
  std::int64_t pictures = 0;
  for (const auto& image : scored)
    pictures += image.mask.empty() ? 4 : 5;
  return pictures;
}

std::optional<record::MissingPictures> write_predictions(const std::filesystem::path& folder,
                                                         const std::vector<evaluation::ScoredImage>& scored,
                                                         double threshold,
                                                         const std::function<torch::Tensor(std::int64_t)>& colors) {
  constexpr std::size_t kReasons = 5;
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
    const auto color = colors(static_cast<std::int64_t>(i));
    const auto* const pixels = color.data_ptr<float>();
    const std::int64_t size = image.size;
    write(image.id + ".image.png", evaluation::image_png(pixels, size, size));
    if (!image.mask.empty()) write(image.id + ".truth.png", evaluation::mask_png(image.mask, size, size));
    write(image.id + ".mask.png", evaluation::mask_png(mask, size, size));
    write(image.id + ".probability.png", evaluation::probability_png(image.probability, size, size));
    write(image.id + ".overlay.png", evaluation::overlay_png(pixels, mask, image.mask, size, size));
  }
  if (missing.count == 0) return std::nullopt;
  return missing;
}

}  // namespace nbs::worker
