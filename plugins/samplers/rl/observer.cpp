// SPDX-License-Identifier: Apache-2.0
#include "observer.h"

#include <algorithm>

#include "nbs/tensor.h"

#include "policy.h"

namespace nbs::rl {

std::vector<float>& Observer::history(std::int64_t image) {
  auto& map = history_[image];
  if (map.empty()) map.assign(static_cast<std::size_t>(scene_.image_size() * scene_.image_size()), 0.0F);
  return map;
}

void Observer::mark(const Patch& patch) {
  auto& map = history(patch.image);
  const std::int64_t p = scene_.patch_size();
  for (std::int64_t y = patch.y; y < patch.y + p; ++y) {
    const auto row = map.begin() + y * scene_.image_size() + patch.x;
    std::fill(row, row + p, 1.0F);
  }
}

void Observer::observe(const Patch& patch, float* state, std::int64_t row) {
  for (std::int64_t y = 0; y < options_.window; ++y)
    std::fill_n(state + y * row, options_.window * kStateChannels, 0.0F);
  if (options_.view == View::image) {
    observe_image(patch, state, row);
  } else {
    observe_window(patch, state, row);
  }
}

void Observer::observe_window(const Patch& patch, float* state, std::int64_t row) {
  const std::int64_t size = scene_.image_size();
  const std::int64_t window = options_.window;
  const std::int64_t top = patch.y + scene_.patch_size() / 2 - window / 2;
  const std::int64_t left = patch.x + scene_.patch_size() / 2 - window / 2;
  const std::int64_t y0 = std::max<std::int64_t>(top, 0);
  const std::int64_t y1 = std::min(top + window, size);
  const std::int64_t x0 = std::max<std::int64_t>(left, 0);
  const std::int64_t x1 = std::min(left + window, size);
  // Writes one channel of the part of the window that lies in the image.
  const auto put = [&](std::int64_t channel, const float* plane, float shift, float factor) {
    for (std::int64_t y = y0; y < y1; ++y) {
      const float* from = plane + y * size + x0;
      float* to = state + (y - top) * row + (x0 - left) * kStateChannels + channel;
      for (std::int64_t x = x0; x < x1; ++x, ++from, to += kStateChannels)
        *to = (*from + shift) * factor;
    }
  };
  if (options_.use_color) {
    const auto image = scene_.image(patch.image);
    for (std::int64_t c = 0; c < 3; ++c)
      put(c, image.data_ptr<float>() + c * size * size, -0.5F, 1.0F);
  }
  if (options_.use_loss) {
    const auto loss = scene_.loss(patch.image, top, left, window, window);
    const float* const plane = loss.data_ptr<float>();
    float factor = 1;
    if (options_.loss_scale == LossScale::mean) {
      double sum = 0;
      for (std::int64_t y = y0; y < y1; ++y) {
        for (std::int64_t x = x0; x < x1; ++x)
          sum += plane[y * size + x];
      }
      if (sum > 0) factor = static_cast<float>(static_cast<double>((y1 - y0) * (x1 - x0)) / sum);
    }
    put(3, plane, 0.0F, factor);
  }
  if (options_.use_history) put(4, history(patch.image).data(), 0.0F, 1.0F);
}

void Observer::observe_image(const Patch& patch, float* state, std::int64_t row) {
  const std::int64_t size = scene_.image_size();
  const std::int64_t window = options_.window;
  const auto reduce = [&](const torch::Tensor& planes) {
    return torch::adaptive_avg_pool2d(planes.unsqueeze(0), {window, window})[0].contiguous();
  };
  const auto put = [&](std::int64_t channel, const torch::Tensor& plane, float shift, float factor) {
    const auto values = plane.contiguous();
    const float* from = values.data_ptr<float>();
    for (std::int64_t y = 0; y < window; ++y) {
      for (std::int64_t x = 0; x < window; ++x, ++from)
        state[y * row + x * kStateChannels + channel] = (*from + shift) * factor;
    }
  };
  if (options_.use_color) {
    auto& color = reduced_color_[patch.image];
    if (!color.defined()) color = reduce(scene_.image(patch.image));
    for (std::int64_t c = 0; c < 3; ++c)
      put(c, color[c], -0.5F, 1.0F);
  }
  if (options_.use_loss) {
    const auto loss = reduce(scene_.loss(patch.image, 0, 0, size, size).unsqueeze(0))[0];
    const double mean = loss.mean().item<double>();
    put(3, loss, 0.0F, options_.loss_scale == LossScale::mean && mean > 0 ? static_cast<float>(1 / mean) : 1.0F);
  }
  if (options_.use_history) {
    const auto map = torch::from_blob(history(patch.image).data(), {1, size, size});
    put(4, reduce(map)[0], 0.0F, 1.0F);
  }
}

}  // namespace nbs::rl
