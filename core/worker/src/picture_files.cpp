// SPDX-License-Identifier: Apache-2.0
#include "picture_files.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/evaluation/pictures.h"

namespace nbs::worker {

namespace {

// An image with its mask. It refers to what it is made of.
class Pictures {
 public:
  Pictures(const evaluation::ScoredImage& image, const torch::Tensor& colors, double threshold)
      : image_(image), colors_(colors.contiguous()), mask_(image.probability.size()) {
    std::transform(image.probability.begin(), image.probability.end(), mask_.begin(),
                   [threshold](float value) { return static_cast<std::uint8_t>(value >= threshold ? 1 : 0); });
    add(".image.png", [this] { return evaluation::image_png(pixels(), image_.height, image_.width); });
    if (!image.mask.empty())
      add(".truth.png", [this] { return evaluation::mask_png(image_.mask, image_.height, image_.width); });
    add(".mask.png", [this] { return evaluation::mask_png(mask_, image_.height, image_.width); });
    add(".probability.png",
        [this] { return evaluation::probability_png(image_.probability, image_.height, image_.width); });
    add(".overlay.png",
        [this] { return evaluation::overlay_png(pixels(), mask_, image_.mask, image_.height, image_.width); });
  }
  Pictures(const Pictures&) = delete;
  Pictures& operator=(const Pictures&) = delete;

  // Calls write(ending, PNG) for each, in their order.
  template <typename Write>
  void encode(const Write& write) const {
    const std::size_t together = encoded_together();
    for (std::size_t first = 0; first < all_.size(); first += together) {
      std::vector<std::string> encoded(std::min(together, all_.size() - first));
      at::parallel_for(0, static_cast<std::int64_t>(encoded.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
          encoded[i] = all_[first + i].encode();
      });
      for (std::size_t i = 0; i < encoded.size(); ++i)
        write(all_[first + i].ending, encoded[i]);
    }
  }

 private:
  struct Picture {
    std::string ending;
    std::function<std::string()> encode;
  };

  void add(const char* ending, std::function<std::string()> encode) { all_.push_back({ending, std::move(encode)}); }
  const float* pixels() const { return colors_.data_ptr<float>(); }

  // Compressing those of an image of 256 x 256 takes 14 ms, as long as a small network takes to predict it, so it is
  // done side by side. Those of a large image would take much memory.
  std::size_t encoded_together() const {
    constexpr std::int64_t kMostPixels = std::int64_t{1} << 22;
    return image_.height * image_.width > kMostPixels ? 1 : all_.size();
  }

  const evaluation::ScoredImage& image_;
  torch::Tensor colors_;
  std::vector<std::uint8_t> mask_;
  std::vector<Picture> all_;
};

}  // namespace

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
  for (std::int64_t i = 0; i < images.count; ++i) {
    const auto image = images.image(i);
    Pictures(image, images.colors(i), images.threshold).encode([&](const std::string& ending, const std::string& png) {
      try {
        write_file(folder / (image.id + ending), png);
      } catch (const Error& error) {
        ++missing.count;
        if (missing.reasons.size() < kReasons) missing.reasons.emplace_back(error.what());
      }
    });
  }
  if (missing.count == 0) return std::nullopt;
  return missing;
}

}  // namespace nbs::worker
