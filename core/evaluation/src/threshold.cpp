// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/threshold.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "nbs/evaluation/curve.h"
#include "nbs/evaluation/regions.h"
#include "nbs/evaluation/scores.h"

namespace nbs::evaluation {

namespace {

constexpr const char* kNoAnomaly = "no labeled image that a threshold can be chosen on shows an anomaly, so it is 0.5";

bool any_anomaly(const std::vector<CurvePoint>& points) {
  return !points.empty() && points.back().true_positives > 0;
}

constexpr std::size_t kSteps = 400;

double logit_of(double probability) {
  constexpr double kNearest = 1e-7;  // to 0 and 1, where the logit ends
  const double inside = std::clamp(probability, kNearest, 1 - kNearest);
  return std::log(inside / (1 - inside));
}

double probability_of(double logit) {
  return 1 / (1 + std::exp(-logit));
}

// Thresholds in steps of equal logit, from the lowest to the highest probability of some images.
class Steps {
 public:
  explicit Steps(const std::vector<ScoredImage>& images) {
    float lowest = 1;
    float highest = 0;
    for (const auto& image : images) {
      const auto [low, high] = std::minmax_element(image.probability.begin(), image.probability.end());
      lowest = std::min(lowest, *low);
      highest = std::max(highest, *high);
    }
    start_ = logit_of(lowest);
    width_ = (logit_of(highest) - start_) / kSteps;
  }
  double logit(std::size_t i) const { return start_ + static_cast<double>(i) * width_; }
  // Counts of one image at each threshold.
  std::vector<Counts> counts(const ScoredImage& image) const {
    std::vector<Counts> at(kSteps + 1);
    std::int64_t anomalous = 0;
    for (std::size_t pixel = 0; pixel < image.probability.size(); ++pixel) {
      // The last step that predicts this pixel; a hair is added against rounding at the ends.
      const double place = width_ > 0 ? (logit_of(image.probability[pixel]) - start_) / width_ + 1e-9 : kSteps;
      auto& last = at[std::min(static_cast<std::size_t>(std::max(place, 0.0)), kSteps)];
      (image.mask[pixel] != 0 ? last.true_positives : last.false_positives) += 1;
      anomalous += image.mask[pixel] != 0 ? 1 : 0;
    }
    for (std::size_t i = kSteps; i-- > 0;)
      at[i] += at[i + 1];
    for (auto& counts : at)
      counts.false_negatives = anomalous - counts.true_positives;
    return at;
  }

 private:
  double start_ = 0;
  double width_ = 0;
};

double precision(const CurvePoint& point) {
  return static_cast<double>(point.true_positives) / static_cast<double>(point.true_positives + point.false_positives);
}

}  // namespace

ThresholdChoice threshold_by_f1(const std::vector<ScoredImage>& images) {
  const auto anomalous = std::count_if(images.begin(), images.end(), shows_anomaly);
  if (anomalous == 0) return {0.5, kNoAnomaly};
  const Steps steps(images);
  std::vector<Counts> pooled(kSteps + 1);
  std::vector<double> image_f1(kSteps + 1, 0);
  for (const auto& image : images) {
    const auto counts = steps.counts(image);
    for (std::size_t i = 0; i <= kSteps; ++i) {
      pooled[i] += counts[i];
      if (shows_anomaly(image)) image_f1[i] += counts[i].f1() / static_cast<double>(anomalous);
    }
  }
  std::vector<double> quality;
  for (std::size_t i = 0; i <= kSteps; ++i)
    quality.push_back(std::sqrt(pooled[i].f1() * image_f1[i]));
  const double best = *std::max_element(quality.begin(), quality.end());
  double weights = 0;
  double sum = 0;
  for (std::size_t i = 0; i <= kSteps; ++i) {
    const double weight = std::pow(quality[i] / best, 6);
    weights += weight;
    sum += weight * steps.logit(i);
  }
  return {probability_of(sum / weights), {}};
}

ThresholdChoice threshold_by_recall(const std::vector<ScoredImage>& images, double least) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  // Recall grows from point to point, and the last has all.
  const auto needed = least * static_cast<double>(points.back().true_positives);
  std::size_t best = points.size();
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (static_cast<double>(points[i].true_positives) < needed) continue;
    if (best == points.size() || precision(points[i]) > precision(points[best])) best = i;
  }
  return {threshold_at(points, best), {}};
}

ThresholdChoice threshold_by_precision(const std::vector<ScoredImage>& images, double least) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  std::size_t most_found = points.size();
  std::size_t most_precise = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (precision(points[i]) >= least) most_found = i;
    if (precision(points[i]) > precision(points[most_precise])) most_precise = i;
  }
  if (most_found < points.size()) return {threshold_at(points, most_found), {}};
  return {
      threshold_at(points, most_precise),
      fmt::format("a precision of {} cannot be had on the labeled images; the threshold is that of the best, {:.3f}",
                  least, precision(points[most_precise]))};
}

ThresholdChoice threshold_by_false_area(const std::vector<ScoredImage>& images, double area) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  const double most = area * static_cast<double>(images.size());
  std::size_t allowed = points.size();
  for (std::size_t i = 0; i < points.size() && static_cast<double>(points[i].false_positives) <= most; ++i)
    allowed = i;
  if (allowed < points.size()) return {threshold_at(points, allowed), {}};
  return {
      std::nextafter(1.0, 2.0),
      fmt::format("even the surest pixels of the labeled images hold more than {} normal ones an image, so nothing is "
                  "predicted anomalous",
                  area)};
}

double threshold_by_share(PixelLevels& levels, double share) {
  const auto count = levels.pixels();
  const auto wanted = std::clamp<std::int64_t>(std::llround(share * static_cast<double>(count)), 0, count);
  if (wanted == 0) return std::nextafter(1.0, 2.0);
  // The lowest level that is to be predicted, and the next ones beside it.
  float lowest = 0;
  float above = 2;
  float below = 0;
  std::int64_t higher = 0;
  std::int64_t equal = 0;
  levels.walk([&](const PixelLevel& level) {
    if (equal > 0) {
      below = level.probability;
      return false;
    }
    const auto pixels = level.anomalous + level.normal;
    if (higher + pixels < wanted) {
      higher += pixels;
      above = level.probability;
      return true;
    }
    lowest = level.probability;
    equal = pixels;
    return true;
  });
  const bool without = wanted - higher < higher + equal - wanted;
  if (without && higher == 0) return std::nextafter(1.0, 2.0);
  return (static_cast<double>(lowest) + (without ? above : below)) / 2;
}

double threshold_by_normal_area(const std::vector<ScoredImage>& images, std::int64_t area) {
  // A higher threshold predicts a subset of the pixels, so regions only shrink or split: bisection finds the edge.
  const auto small_at = [&](double threshold) {
    return std::all_of(images.begin(), images.end(),
                       [&](const ScoredImage& image) { return largest_region(image, threshold) <= area; });
  };
  // Networks that are sure give probabilities of exactly 1, which only a threshold above it leaves out.
  if (!small_at(1)) return std::nextafter(1.0, 2.0);
  double low = 0;
  double high = 1;
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    (small_at(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace nbs::evaluation
