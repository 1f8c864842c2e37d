// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/expected.h"

#include <algorithm>
#include <cmath>

#include "nbs/base/random.h"
#include "nbs/evaluation/scores.h"

#include "pixel_scores.h"

namespace nbs::evaluation {

namespace {

constexpr int kResamples = 2000;
constexpr std::uint64_t kSeed = 1;

bool shows_anomaly(const ScoredImage& image) {
  return std::any_of(image.mask.begin(), image.mask.end(), [](std::uint8_t value) { return value != 0; });
}

// Each image at the threshold that the others give.
std::vector<Counts> counts_of(const std::vector<ScoredImage>& images, const ThresholdRule& rule) {
  std::vector<Counts> counts;
  for (std::size_t i = 0; i < images.size(); ++i) {
    auto others = images;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const bool any = std::any_of(others.begin(), others.end(), shows_anomaly);
    counts.push_back(count(images[i], rule(any ? others : images)));
  }
  return counts;
}

// F1 of resamples that show an anomaly, in order; of others there is none.
std::vector<double> resampled_f1(const std::vector<Counts>& counts) {
  Random random(kSeed);
  std::vector<double> values;
  for (int r = 0; r < kResamples; ++r) {
    Counts sum;
    for (std::size_t i = 0; i < counts.size(); ++i)
      sum += counts[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(counts.size())))];
    if (sum.true_positives + sum.false_negatives > 0) values.push_back(sum.f1());
  }
  std::sort(values.begin(), values.end());
  return values;
}

double percentile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)))];
}

}  // namespace

std::optional<record::ExpectedScores> expected_scores(const std::vector<ScoredImage>& images,
                                                      const ThresholdRule& rule) {
  if (!std::any_of(images.begin(), images.end(), shows_anomaly)) return std::nullopt;
  const auto counts = counts_of(images, rule);
  record::ExpectedScores expected;
  Counts pooled;
  for (std::size_t i = 0; i < images.size(); ++i) {
    pooled += counts[i];
    auto& own = expected.by_image.emplace_back();
    set_pixels(own, counts[i]);
    own.id = images[i].id;
    own.type = images[i].type;
    own.f1 = image_f1(counts[i]);
  }
  set_pixels(expected, pooled);
  const auto resampled = resampled_f1(counts);
  if (!resampled.empty()) {
    expected.f1_low = percentile(resampled, 0.05);
    expected.f1_high = percentile(resampled, 0.95);
  }
  return expected;
}

}  // namespace nbs::evaluation
