// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/augment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace nbs::data {

void augment_color(float* image, std::int64_t pixels, const AugmentOptions& options, const Uniform& uniform) {
  const auto spread = [&](double largest) { return largest * (2 * uniform() - 1); };
  if (options.brightness > 0 || options.contrast > 0 || options.color > 0) {
    double mean = 0;
    for (std::int64_t i = 0; i < 3 * pixels; ++i)
      mean += image[i];
    mean /= static_cast<double>(3 * pixels);
    const double gain = 1 + spread(options.contrast);
    const double shift = spread(options.brightness);
    for (int c = 0; c < 3; ++c) {
      const auto offset = static_cast<float>(mean - gain * mean + shift + spread(options.color));
      float* const plane = image + c * pixels;
      for (std::int64_t i = 0; i < pixels; ++i)
        plane[i] = std::min(1.0F, std::max(0.0F, static_cast<float>(gain) * plane[i] + offset));
    }
  }
  if (options.noise > 0) {
    for (std::int64_t i = 0; i < 3 * pixels; ++i) {
      const double normal = std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform());
      image[i] = std::min(1.0F, std::max(0.0F, image[i] + static_cast<float>(options.noise * normal)));
    }
  }
}

void augment_geometry(float* image, float* mask, std::int64_t size, const AugmentOptions& options,
                      const Uniform& uniform) {
  if (options.rotation == 0 && options.scale == 0 && options.elastic == 0) return;
  const auto spread = [&](double largest) { return largest * (2 * uniform() - 1); };
  const int side = static_cast<int>(size);
  const double angle = spread(options.rotation) * 3.141592653589793 / 180;
  const double zoom = 1 / (1 + spread(options.scale));
  const double cosine = zoom * std::cos(angle);
  const double sine = zoom * std::sin(angle);
  cv::Mat move_x(side, side, CV_32F, cv::Scalar(0));
  cv::Mat move_y(side, side, CV_32F, cv::Scalar(0));
  if (options.elastic > 0) {
    for (auto* field : {&move_x, &move_y}) {
      // Smooth over an eighth of the image: coarse noise, enlarged.
      cv::Mat coarse(10, 10, CV_32F);
      for (int i = 0; i < 100; ++i) {
        coarse.at<float>(i / 10, i % 10) = static_cast<float>(
            options.elastic * std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform()));
      }
      cv::resize(coarse, *field, {side, side}, 0, 0, cv::INTER_CUBIC);
    }
  }
  cv::Mat from_x(side, side, CV_32F);
  cv::Mat from_y(side, side, CV_32F);
  const double center = (side - 1) / 2.0;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      from_x.at<float>(y, x) =
          static_cast<float>(center + cosine * (x - center) - sine * (y - center)) + move_x.at<float>(y, x);
      from_y.at<float>(y, x) =
          static_cast<float>(center + sine * (x - center) + cosine * (y - center)) + move_y.at<float>(y, x);
    }
  }
  cv::Mat moved;
  for (int c = 0; c < 3; ++c) {
    cv::Mat plane(side, side, CV_32F, image + c * size * size);
    cv::remap(plane, moved, from_x, from_y, cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
    moved.copyTo(plane);
  }
  cv::Mat truth(side, side, CV_32F, mask);
  cv::remap(truth, moved, from_x, from_y, cv::INTER_NEAREST, cv::BORDER_REFLECT_101);
  moved.copyTo(truth);
}

}  // namespace nbs::data
