// SPDX-License-Identifier: Apache-2.0
#include "scoring.h"

#include <system_error>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/tensor.h"

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

evaluation::ScoredImage UnlabeledImages::at(std::int64_t image) const {
  auto scored = maps_.at(image);
  scored.id = truth_.id(image);
  scored.type = truth_.type(image);
  if (has_mask(image)) scored.mask = truth_.mask(image);
  return scored;
}

evaluation::Scorer scored(const UnlabeledImages& images, double threshold, const data::TrainingSet& set,
                          const std::filesystem::path& folder) {
  evaluation::Scorer scorer(threshold, set.seen_types, folder);
  for (std::int64_t i = 0; i < images.count(); ++i) {
    if (images.has_mask(i)) scorer.add(images.at(i));
  }
  return scorer;
}

std::optional<record::MissingPictures> write_predictions(const std::filesystem::path& folder,
                                                         const PicturedImages& images) {
  constexpr std::size_t kReasons = 5;
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    return record::MissingPictures{
        images.pictures,
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
  for (std::int64_t i = 0; i < images.count; ++i) {
    const auto image = images.image(i);
    const auto mask = thresholded(image.probability, images.threshold);
    const auto shown = images.colors(i).contiguous();
    const auto* const pixels = shown.data_ptr<float>();
    const auto height = image.height;
    const auto width = image.width;
    write(image.id + ".image.png", evaluation::image_png(pixels, height, width));
    if (!image.mask.empty()) write(image.id + ".truth.png", evaluation::mask_png(image.mask, height, width));
    write(image.id + ".mask.png", evaluation::mask_png(mask, height, width));
    write(image.id + ".probability.png", evaluation::probability_png(image.probability, height, width));
    write(image.id + ".overlay.png", evaluation::overlay_png(pixels, mask, image.mask, height, width));
  }
  if (missing.count == 0) return std::nullopt;
  return missing;
}

}  // namespace nbs::worker
