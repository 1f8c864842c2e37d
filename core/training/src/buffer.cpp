// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/buffer.h"

#include <utility>

namespace nbs::training {

void ProfileBuffer::push(BufferedProfile profile) {
  profiles_.push_back(std::move(profile));
  if (static_cast<std::int64_t>(profiles_.size()) > capacity_) profiles_.pop_front();
}

void ProfileBuffer::save(StateWriter& writer) const {
  std::vector<std::int64_t> images;
  std::vector<torch::Tensor> maps;
  std::vector<double> scales;
  for (const auto& profile : profiles_) {
    images.push_back(profile.image);
    maps.insert(maps.end(), profile.maps.begin(), profile.maps.end());
    scales.insert(scales.end(), profile.scales.begin(), profile.scales.end());
  }
  writer.integers("buffer.images", images);
  writer.shared("buffer.maps", maps);
  writer.numbers("buffer.scales", scales);
}

void ProfileBuffer::load(const StateReader& reader, std::int64_t images, std::int64_t length, std::int64_t image_size) {
  const auto of_image = reader.integers("buffer.images");
  const auto maps = reader.shared("buffer.maps", {image_size, image_size});
  const auto scales = reader.numbers("buffer.scales");
  const auto T = static_cast<std::size_t>(length);
  const bool fits = static_cast<std::int64_t>(of_image.size()) <= capacity_ && maps.size() == of_image.size() * T &&
                    scales.size() == maps.size();
  reader.require(fits, "the profile buffer does not fit the options of this pipeline and the rest");
  profiles_.clear();
  for (std::size_t i = 0; i < of_image.size(); ++i) {
    reader.require(of_image[i] >= 0 && of_image[i] < images, "the profile buffer has an image that is not labeled");
    const auto first = static_cast<std::ptrdiff_t>(i * T);
    const auto last = first + length;
    profiles_.push_back(
        {of_image[i], {maps.begin() + first, maps.begin() + last}, {scales.begin() + first, scales.begin() + last}});
  }
}

}  // namespace nbs::training
