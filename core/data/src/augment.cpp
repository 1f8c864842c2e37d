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

bool changes_color(const AugmentOptions& options) {
  return options.brightness > 0 || options.contrast > 0 || options.color > 0 || options.noise > 0;
}

Warp::Warp(std::int64_t size, std::int64_t y, std::int64_t x, std::int64_t side, const AugmentOptions& options,
           const Uniform& uniform)
    : size_(static_cast<int>(size)) {
  const auto spread = [&](double largest) { return largest * (2 * uniform() - 1); };
  const int width = static_cast<int>(side);
  const double angle = spread(options.rotation) * 3.141592653589793 / 180;
  const double zoom = 1 / (1 + spread(options.scale));
  const double cosine = zoom * std::cos(angle);
  const double sine = zoom * std::sin(angle);
  cv::Mat move_x(width, width, CV_32F, cv::Scalar(0));
  cv::Mat move_y(width, width, CV_32F, cv::Scalar(0));
  if (options.elastic > 0) {
    const cv::Rect window(static_cast<int>(x), static_cast<int>(y), width, width);
    for (auto* field : {&move_x, &move_y}) {
      // Smooth over an eighth of the image: coarse noise, enlarged.
      cv::Mat coarse(10, 10, CV_32F);
      for (int i = 0; i < 100; ++i) {
        coarse.at<float>(i / 10, i % 10) = static_cast<float>(
            options.elastic * std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform()));
      }
      cv::Mat whole;
      cv::resize(coarse, whole, {size_, size_}, 0, 0, cv::INTER_CUBIC);
      *field = whole(window);
    }
  }
  from_x_.create(width, width, CV_32F);
  from_y_.create(width, width, CV_32F);
  const double half = (width - 1) / 2.0;
  const double center_x = static_cast<double>(x) + half;
  const double center_y = static_cast<double>(y) + half;
  for (int v = 0; v < width; ++v) {
    for (int u = 0; u < width; ++u) {
      from_x_.at<float>(v, u) =
          static_cast<float>(center_x + cosine * (u - half) - sine * (v - half)) + move_x.at<float>(v, u);
      from_y_.at<float>(v, u) =
          static_cast<float>(center_y + sine * (u - half) + cosine * (v - half)) + move_y.at<float>(v, u);
    }
  }
}

void Warp::apply(const float* plane, float* window) const {
  remap(plane, window, cv::INTER_LINEAR);
}

void Warp::apply_nearest(const float* plane, float* window) const {
  remap(plane, window, cv::INTER_NEAREST);
}

void Warp::remap(const float* plane, float* window, int interpolation) const {
  const cv::Mat from(size_, size_, CV_32F, const_cast<float*>(plane));  // read only; OpenCV has no type for that
  cv::Mat to(from_x_.rows, from_x_.cols, CV_32F, window);
  cv::remap(from, to, from_x_, from_y_, interpolation, cv::BORDER_REFLECT_101);
}

bool warps(const AugmentOptions& options) {
  return options.rotation > 0 || options.scale > 0 || options.elastic > 0;
}

}  // namespace nbs::data
