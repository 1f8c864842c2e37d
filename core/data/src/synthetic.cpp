// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "nbs/base/random.h"
#include "nbs/data/sample.h"

namespace nbs::data {

namespace {

constexpr std::array<Surface, 5> kSurfaces = {Surface::fabric, Surface::asphalt, Surface::metal, Surface::wood,
                                              Surface::tiles};
constexpr double kTurn = 6.283185307179586;

// The random source of one image. The multipliers are large odd numbers, so that neighboring images and seeds have
// nothing in common.
class Source : public Random {
 public:
  Source(std::uint64_t seed, std::int64_t index)
      : Random(seed * 0x9e3779b97f4a7c15ULL ^ static_cast<std::uint64_t>(index) * 0xbf58476d1ce4e5b9ULL) {
    for (int i = 0; i < 16; ++i)
      bits();
  }
  using Random::uniform;
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
};

// White noise smoothed to the given scales, deviation 1.
cv::Mat noise(Source& random, int size, double sigma_x, double sigma_y) {
  cv::Mat field(size, size, CV_32F);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x)
      field.at<float>(y, x) = static_cast<float>(random.normal());
  }
  if (sigma_x > 0 || sigma_y > 0)
    cv::GaussianBlur(field, field, {0, 0}, std::max(sigma_x, 0.01), std::max(sigma_y, 0.01), cv::BORDER_REFLECT);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(field, mean, deviation);
  return (field - mean[0]) / std::max(deviation[0], 1e-6);
}

template <typename Shade>
cv::Mat pattern(int size, const Shade& shade) {
  cv::Mat field(size, size, CV_32F);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x)
      field.at<float>(y, x) = static_cast<float>(shade(x, y));
  }
  return field;
}

// Gray relief of a surface around 0, and its color. Lengths are in units of a 256 pixel image.
cv::Mat relief(Surface surface, Source& random, int size, cv::Vec3f& color) {
  const double unit = size / 256.0;
  const double phase_x = random.uniform(0, kTurn);
  const double phase_y = random.uniform(0, kTurn);
  if (surface == Surface::fabric) {
    const double period = random.uniform(7, 10) * unit;
    color = {0.45F, 0.5F, 0.62F};
    const auto weave = pattern(size, [&](int x, int y) {
      return 0.10 * std::sin(kTurn * x / period + phase_x) * std::sin(kTurn * y / period + phase_y) +
             0.05 * std::sin(kTurn * (x + y) / (2 * period));
    });
    return weave + 0.035 * noise(random, size, 0.8 * unit, 0.8 * unit);
  }
  if (surface == Surface::metal) {
    color = {0.62F, 0.62F, 0.64F};
    return 0.06 * noise(random, size, 14 * unit, 0.6 * unit) + 0.04 * noise(random, size, 40 * unit, 40 * unit);
  }
  if (surface == Surface::wood) {
    const double period = random.uniform(14, 22) * unit;
    color = {0.62F, 0.45F, 0.28F};
    const cv::Mat bend = noise(random, size, 50 * unit, 12 * unit);
    const auto rings = pattern(
        size, [&](int x, int y) { return 0.09 * std::sin(kTurn * y / period + 1.6 * bend.at<float>(y, x) + phase_y); });
    return rings + 0.03 * noise(random, size, 8 * unit, 0.6 * unit);
  }
  if (surface == Surface::tiles) {
    const double side = random.uniform(40, 56) * unit;
    const double offset_x = random.uniform(0, side);
    const double offset_y = random.uniform(0, side);
    color = {0.66F, 0.60F, 0.54F};
    const auto joints = pattern(size, [&](int x, int y) {
      const double u = std::fmod(x + offset_x, side);
      const double v = std::fmod(y + offset_y, side);
      return std::min(u, v) < 2.5 * unit ? -0.2 : 0.03;
    });
    return joints + 0.045 * noise(random, size, 2.5 * unit, 2.5 * unit);
  }
  color = {0.42F, 0.42F, 0.42F};  // asphalt
  return 0.09 * noise(random, size, 0.9 * unit, 0.9 * unit) + 0.05 * noise(random, size, 4 * unit, 4 * unit) +
         0.03 * noise(random, size, 45 * unit, 45 * unit);
}

// A random walk of line segments into `shape`.
void draw_path(cv::Mat& shape, Source& random, double length, double step, double bend, int width) {
  const int size = shape.rows;
  double x = random.uniform(0.15, 0.85) * size;
  double y = random.uniform(0.15, 0.85) * size;
  double heading = random.uniform(0, kTurn);
  for (double done = 0; done < length; done += step) {
    heading += bend * random.normal();
    const double to_x = x + step * std::cos(heading);
    const double to_y = y + step * std::sin(heading);
    cv::line(shape, cv::Point(cvRound(x), cvRound(y)), cv::Point(cvRound(to_x), cvRound(to_y)), cv::Scalar(255), width);
    x = to_x;
    y = to_y;
  }
}

void draw_stain(cv::Mat& shape, Source& random, double radius) {
  const int size = shape.rows;
  const cv::Point2d center(random.uniform(0.12, 0.88) * size, random.uniform(0.12, 0.88) * size);
  std::array<double, 4> amplitude{};
  std::array<double, 4> phase{};
  for (int k = 0; k < 4; ++k) {
    amplitude[k] = random.uniform(0, 0.22);
    phase[k] = random.uniform(0, kTurn);
  }
  std::vector<cv::Point> outline;
  for (int i = 0; i < 64; ++i) {
    const double angle = kTurn * i / 64;
    double r = 1;
    for (int k = 0; k < 4; ++k)
      r += amplitude[k] * std::sin((k + 2) * angle + phase[k]);
    outline.emplace_back(cvRound(center.x + radius * r * std::cos(angle)),
                         cvRound(center.y + radius * r * std::sin(angle)));
  }
  cv::fillPoly(shape, std::vector<std::vector<cv::Point>>{outline}, cv::Scalar(255));
}

// Changes `image` where the anomaly is and marks it in `mask`.
void add_anomaly(const std::string& type, Source& random, cv::Mat& image, cv::Mat& mask) {
  const int size = image.rows;
  const double unit = size / 256.0;
  cv::Mat shape = cv::Mat::zeros(size, size, CV_8UC1);
  cv::Vec3f change;
  if (type == "crack") {
    draw_path(shape, random, random.uniform(70, 150) * unit, 5 * unit, 0.45, std::max(1, cvRound(2.5 * unit)));
    const auto depth = static_cast<float>(random.uniform(0.16, 0.26));
    change = {-depth, -depth, -depth};
  } else if (type == "scratch") {
    draw_path(shape, random, random.uniform(40, 90) * unit, 8 * unit, 0.05, std::max(1, cvRound(2 * unit)));
    const auto height = static_cast<float>(random.uniform(0.16, 0.28));
    change = {height, height, height};
  } else {
    draw_stain(shape, random, random.uniform(6, 14) * unit);
    const auto tint = static_cast<float>(random.uniform(0.10, 0.18));
    change = {tint, -0.4F * tint, -tint};
  }
  mask.setTo(1, shape);
  // Blended edges, as a camera would show them; the texture goes on underneath.
  cv::Mat share;
  shape.convertTo(share, CV_32F, 1.0 / 255);
  cv::GaussianBlur(share, share, {0, 0}, 0.7 * unit);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x)
      image.at<cv::Vec3f>(y, x) += share.at<float>(y, x) * change;
  }
}

}  // namespace

std::string synthetic_type(std::uint64_t seed, std::int64_t index) {
  static constexpr std::array<const char*, 6> kTypes = {"crack", "good", "stain", "scratch", "crack", "stain"};
  // In turn, one in six normal, so that small data sets hold all kinds; the phase depends on the seed.
  return kTypes[(static_cast<std::uint64_t>(index) + seed) % kTypes.size()];
}

SyntheticImage synthesize(Surface surface, std::int64_t size, std::uint64_t seed, std::int64_t index) {
  const int side = static_cast<int>(size);
  Source random(seed, index);
  SyntheticImage result;
  result.type = synthetic_type(seed, index);
  const Surface kind =
      surface == Surface::mixed ? kSurfaces[static_cast<std::size_t>(seed) % kSurfaces.size()] : surface;
  cv::Vec3f color;
  const cv::Mat gray = relief(kind, random, side, color);
  const auto light = static_cast<float>(random.uniform(-0.06, 0.06));
  result.image.create(side, side, CV_32FC3);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const float value = gray.at<float>(y, x) + light;
      result.image.at<cv::Vec3f>(y, x) = color + cv::Vec3f(value, value, value);
    }
  }
  result.mask = cv::Mat::zeros(side, side, CV_8UC1);
  if (result.type != "good") {
    const int anomalies = 1 + static_cast<int>(random.below(2));
    for (int i = 0; i < anomalies; ++i)
      add_anomaly(result.type, random, result.image, result.mask);
  }
  // Sensor noise over everything, anomalies included.
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      auto& pixel = result.image.at<cv::Vec3f>(y, x);
      for (int c = 0; c < 3; ++c) {
        const auto noisy = static_cast<float>(pixel[c] + 0.01 * random.normal());
        pixel[c] = std::min(1.0F, std::max(0.0F, noisy));
      }
    }
  }
  return result;
}

Listing list_synthetic(const DataOptions& options) {
  Listing listing;
  const auto seed = static_cast<std::uint64_t>(options.split_seed);
  std::int64_t index = 0;
  const auto make = [&](const char* prefix) {
    Sample sample;
    std::string digits = std::to_string(index);
    sample.id = prefix + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
    sample.mask_source = MaskSource::generated;
    sample.type = synthetic_type(seed, index);
    sample.index = index;
    return sample;
  };
  for (; index < options.count; ++index)
    listing.samples.push_back(make("synthetic_"));
  // Normal images for training, from the inrandoms that follow.
  while (static_cast<std::int64_t>(listing.auxiliary.size()) < options.auxiliary) {
    auto sample = make("synthetic_train_");
    if (sample.type == "good") listing.auxiliary.push_back(std::move(sample));
    ++index;
  }
  return listing;
}

}  // namespace nbs::data
