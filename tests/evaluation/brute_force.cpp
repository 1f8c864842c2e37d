// SPDX-License-Identifier: Apache-2.0
#include "brute_force.h"

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <string>

namespace nbs::test {

namespace {

struct Tally {
  double hits = 0;
  double false_alarms = 0;
  double misses = 0;
  double rest = 0;
};

Tally tally(const Images& images, double threshold) {
  Tally result;
  for (const auto& image : images) {
    for (std::size_t i = 0; i < image.mask.size(); ++i) {
      const bool predicted = image.probability[i] >= threshold;
      if (image.mask[i] != 0) {
        (predicted ? result.hits : result.misses) += 1;
      } else {
        (predicted ? result.false_alarms : result.rest) += 1;
      }
    }
  }
  return result;
}

struct Place {
  std::size_t image;
  std::int64_t y;
  std::int64_t x;
};

using Places = std::vector<Place>;

double share_near(const Places& these, const Places& those, double tolerance) {
  double near = 0;
  for (const auto& a : these) {
    near += std::any_of(those.begin(), those.end(), [&](const Place& b) {
      const auto squares = (a.y - b.y) * (a.y - b.y) + (a.x - b.x) * (a.x - b.x);
      return a.image == b.image && static_cast<double>(squares) <= tolerance * tolerance;
    });
  }
  return these.empty() ? 0 : near / static_cast<double>(these.size());
}

}  // namespace

std::set<double, std::greater<>> thresholds(const Images& images) {
  std::set<double, std::greater<>> all;
  for (const auto& image : images)
    all.insert(image.probability.begin(), image.probability.end());
  return all;
}

Images random_images(unsigned seed, int count, Size size, int levels, double share) {
  std::mt19937 engine(seed);
  Images images;
  for (int i = 0; i < count; ++i) {
    evaluation::ScoredImage image;
    image.id = "i" + std::to_string(i);
    image.height = size.height;
    image.width = size.width;
    for (std::int64_t j = 0; j < size.height * size.width; ++j) {
      const bool anomalous = static_cast<double>(engine() % 1000) < 1000 * share;
      auto level = static_cast<int>(engine() % static_cast<unsigned>(levels));
      if (anomalous && engine() % 2 == 0) level = levels - 1 - level / 2;
      image.mask.push_back(anomalous ? 1 : 0);
      image.probability.push_back(static_cast<float>(level) / static_cast<float>(levels - 1));
    }
    images.push_back(std::move(image));
  }
  return images;
}

double pairs_auroc(const Images& images) {
  std::vector<float> anomalous;
  std::vector<float> normal;
  for (const auto& image : images) {
    for (std::size_t i = 0; i < image.mask.size(); ++i)
      (image.mask[i] != 0 ? anomalous : normal).push_back(image.probability[i]);
  }
  double wins = 0;
  for (const float a : anomalous) {
    for (const float n : normal)
      wins += a > n ? 1.0 : a == n ? 0.5 : 0.0;
  }
  return wins / static_cast<double>(anomalous.size()) / static_cast<double>(normal.size());
}

double thresholds_average_precision(const Images& images) {
  double sum = 0;
  double recall_before = 0;
  for (const double threshold : thresholds(images)) {
    const auto at = tally(images, threshold);
    const double recall = at.hits / (at.hits + at.misses);
    sum += (recall - recall_before) * at.hits / (at.hits + at.false_alarms);
    recall_before = recall;
  }
  return sum;
}

double pooled_f1(const Images& images, double threshold) {
  const auto at = tally(images, threshold);
  if (at.hits == 0) return 0;
  const double precision = at.hits / (at.hits + at.false_alarms);
  const double recall = at.hits / (at.hits + at.misses);
  return 2 * precision * recall / (precision + recall);
}

double pooled_iou(const Images& images, double threshold) {
  const auto at = tally(images, threshold);
  const double either = at.hits + at.false_alarms + at.misses;
  return either == 0 ? 0 : at.hits / either;
}

double pairs_f1_with_tolerance(const Images& images, double threshold, double tolerance) {
  Places predicted;
  Places anomalous;
  for (std::size_t k = 0; k < images.size(); ++k) {
    for (std::int64_t i = 0; i < images[k].height * images[k].width; ++i) {
      const Place place = {k, i / images[k].width, i % images[k].width};
      if (images[k].probability[static_cast<std::size_t>(i)] >= threshold) predicted.push_back(place);
      if (images[k].mask[static_cast<std::size_t>(i)] != 0) anomalous.push_back(place);
    }
  }
  const double precision = share_near(predicted, anomalous, tolerance);
  const double recall = share_near(anomalous, predicted, tolerance);
  return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

double thresholds_best_f1(const Images& images) {
  double best = 0;
  for (const double threshold : thresholds(images))
    best = std::max(best, pooled_f1(images, threshold));
  return best;
}

AtThreshold pooled_at(const Images& images, double threshold) {
  const auto [hits, false_alarms, misses, rest] = tally(images, threshold);
  const double predicted = hits + false_alarms;
  const double anomalous = hits + misses;
  return {predicted == 0 ? 1 : hits / predicted, anomalous == 0 ? 0 : hits / anomalous, false_alarms};
}

std::vector<std::vector<std::size_t>> regions(const std::vector<std::uint8_t>& mask, Size size) {
  std::vector<std::vector<std::size_t>> found;
  std::vector<bool> seen(mask.size());
  for (std::size_t start = 0; start < mask.size(); ++start) {
    if (mask[start] == 0 || seen[start]) continue;
    std::vector<std::size_t> region = {start};
    seen[start] = true;
    for (std::size_t next = 0; next < region.size(); ++next) {
      const auto y = static_cast<std::int64_t>(region[next]) / size.width;
      const auto x = static_cast<std::int64_t>(region[next]) % size.width;
      for (std::int64_t v = std::max<std::int64_t>(0, y - 1); v <= std::min(size.height - 1, y + 1); ++v) {
        for (std::int64_t u = std::max<std::int64_t>(0, x - 1); u <= std::min(size.width - 1, x + 1); ++u) {
          const auto at = static_cast<std::size_t>(v * size.width + u);
          if (mask[at] == 0 || seen[at]) continue;
          seen[at] = true;
          region.push_back(at);
        }
      }
    }
    found.push_back(std::move(region));
  }
  return found;
}

double thresholds_aupro(const Images& images, double limit) {
  double area = 0;
  double rate_before = 0;
  double overlap_before = 0;
  for (const double threshold : thresholds(images)) {
    const auto at = tally(images, threshold);
    const double rate = at.false_alarms / (at.false_alarms + at.rest);
    double overlap = 0;
    double count = 0;
    for (const auto& image : images) {
      for (const auto& region : regions(image.mask, {image.height, image.width})) {
        double found = 0;
        for (const auto index : region)
          found += image.probability[index] >= threshold ? 1 : 0;
        overlap += found / static_cast<double>(region.size());
        count += 1;
      }
    }
    overlap /= count;
    const double to = std::min(rate, limit);
    if (to > rate_before) {
      const double at_end = overlap_before + (overlap - overlap_before) * (to - rate_before) / (rate - rate_before);
      area += (to - rate_before) * (overlap_before + at_end) / 2;
    }
    rate_before = std::min(rate, limit);
    overlap_before = overlap;
    if (rate >= limit) break;
  }
  return area / limit;
}

}  // namespace nbs::test
