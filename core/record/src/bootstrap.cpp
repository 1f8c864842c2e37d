// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nbs/base/random.h"

namespace nbs::record {

namespace {

constexpr int kResamples = 2000;
constexpr std::uint64_t kSeed = 1;

bool counted(const std::vector<ImageScore>& images) {
  return std::all_of(images.begin(), images.end(), [](const ImageScore& image) {
    return image.true_positives && image.false_positives && image.false_negatives;
  });
}

std::int64_t anomalous_pixels(const ImageScore& image) {
  return *image.true_positives + *image.false_negatives;
}

// Sums of weighted pixels.
struct WeightedCounts {
  double true_positives = 0;
  double false_positives = 0;
  double false_negatives = 0;

  void add(const ImageScore& image, double weight) {
    true_positives += weight * static_cast<double>(*image.true_positives);
    false_positives += weight * static_cast<double>(*image.false_positives);
    false_negatives += weight * static_cast<double>(*image.false_negatives);
  }
  // Nothing if there is no anomaly.
  std::optional<double> f1() const {
    if (true_positives + false_negatives <= 0) return std::nullopt;
    return 2 * true_positives / (2 * true_positives + false_positives + false_negatives);
  }
};

std::optional<double> f1_of(const std::vector<ImageScore>& images, const std::vector<double>& weights,
                            const std::vector<std::size_t>& drawn) {
  WeightedCounts counts;
  for (const auto i : drawn)
    counts.add(images[i], weights[i]);
  return counts.f1();
}

// 95 % quantile of Student's t in units of the normal distribution's (1.645), for 1 to 30 degrees of freedom and, as
// it falls like one over their number, beyond.
double student_to_normal(std::size_t degrees) {
  static constexpr double kQuantiles[] = {6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812,
                                          1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725,
                                          1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697};
  constexpr double kNormal = 1.645;
  constexpr std::size_t kCount = sizeof(kQuantiles) / sizeof(kQuantiles[0]);
  if (degrees <= kCount) return kQuantiles[degrees - 1] / kNormal;
  return 1 + (kQuantiles[kCount - 1] / kNormal - 1) * static_cast<double>(kCount) / static_cast<double>(degrees);
}

}  // namespace

std::vector<double> image_weights(const std::vector<ImageScore>& images) {
  std::vector<double> weights;
  double sum = 0;
  double anomalous_images = 0;
  for (const auto& image : images) {
    const auto area = static_cast<double>(anomalous_pixels(image));
    weights.push_back(area > 0 ? 1 / std::sqrt(area) : 0);
    sum += weights.back();
    if (area > 0) ++anomalous_images;
  }
  for (auto& weight : weights) {
    if (weight == 0) weight = anomalous_images > 0 ? sum / anomalous_images : 1;
  }
  return weights;
}

PixelScores weighted_scores(const std::vector<ImageScore>& images) {
  const auto weights = image_weights(images);
  WeightedCounts weighted;
  PixelScores scores;
  scores.true_positives = scores.false_positives = scores.false_negatives = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    weighted.add(images[i], weights[i]);
    *scores.true_positives += *images[i].true_positives;
    *scores.false_positives += *images[i].false_positives;
    *scores.false_negatives += *images[i].false_negatives;
  }
  scores.f1 = weighted.f1();
  const double anomalous = weighted.true_positives + weighted.false_negatives;
  const double predicted = weighted.true_positives + weighted.false_positives;
  if (anomalous > 0) {
    scores.recall = weighted.true_positives / anomalous;
    scores.precision = predicted > 0 ? weighted.true_positives / predicted : 0;
  }
  return scores;
}

bool expects_more(const ExpectedScores& a, const ExpectedScores& b) {
  const double expected = a.f1.value_or(0);
  const double other = b.f1.value_or(0);
  if (expected != other) return expected > other;
  return weighted_scores(a.by_image).f1.value_or(0) > weighted_scores(b.by_image).f1.value_or(0);
}

std::optional<Interval> resampled_interval(
    std::size_t count, double lowest,
    const std::function<std::optional<double>(const std::vector<std::size_t>& drawn)>& value_of) {
  std::vector<std::size_t> drawn(count);
  std::iota(drawn.begin(), drawn.end(), std::size_t{0});
  const std::optional<double> estimate = value_of(drawn);
  if (!estimate) return std::nullopt;
  if (count == 1) return Interval{*estimate, *estimate};
  Random random(kSeed);
  std::vector<double> values;
  for (int r = 0; r < kResamples; ++r) {
    for (auto& image : drawn)
      image = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count)));
    if (const std::optional<double> value = value_of(drawn)) values.push_back(*value);
  }
  std::sort(values.begin(), values.end());
  const double wider =
      std::sqrt(static_cast<double>(count) / static_cast<double>(count - 1)) * student_to_normal(count - 1);
  const auto end = [&](double share) {
    const double value = values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
    return std::clamp(*estimate + wider * (value - *estimate), lowest, 1.0);
  };
  return Interval{end(0.05), end(0.95)};
}

std::optional<Interval> f1_interval(const std::vector<ImageScore>& images) {
  if (images.empty() || !counted(images)) return std::nullopt;
  const auto weights = image_weights(images);
  return resampled_interval(images.size(), 0, [&](const auto& drawn) { return f1_of(images, weights, drawn); });
}

std::optional<Interval> mean_interval(const std::vector<double>& differences) {
  if (differences.size() < 2) return std::nullopt;
  return resampled_interval(differences.size(), -1, [&](const auto& drawn) -> std::optional<double> {
    double sum = 0;
    for (const auto i : drawn)
      sum += differences[i];
    return sum / static_cast<double>(drawn.size());
  });
}

std::optional<Interval> f1_difference(const std::vector<ImageScore>& a, const std::vector<ImageScore>& b) {
  const bool same = std::equal(a.begin(), a.end(), b.begin(), b.end(),
                               [](const ImageScore& x, const ImageScore& y) { return x.id == y.id; });
  if (a.empty() || !same || !counted(a) || !counted(b)) return std::nullopt;
  const auto weights = image_weights(a);
  return resampled_interval(a.size(), -1, [&](const auto& drawn) -> std::optional<double> {
    const auto first = f1_of(a, weights, drawn);
    const auto second = f1_of(b, weights, drawn);
    if (!first || !second) return std::nullopt;
    return *first - *second;
  });
}

}  // namespace nbs::record
