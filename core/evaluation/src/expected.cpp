// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/expected.h"

#include <algorithm>

#include "nbs/evaluation/scores.h"
#include "nbs/record/bootstrap.h"

#include "pixel_scores.h"

namespace nbs::evaluation {

namespace {

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

}  // namespace

std::optional<record::ExpectedScores> expected_scores(const std::vector<ScoredImage>& images,
                                                      const ThresholdRule& rule) {
  if (!std::any_of(images.begin(), images.end(), shows_anomaly)) return std::nullopt;
  const auto counts = counts_of(images, rule);
  record::ExpectedScores expected;
  for (std::size_t i = 0; i < images.size(); ++i) {
    auto& own = expected.by_image.emplace_back();
    set_pixels(own, counts[i]);
    own.id = images[i].id;
    own.type = images[i].type;
    own.f1 = image_f1(counts[i]);
  }
  static_cast<record::PixelScores&>(expected) = record::weighted_scores(expected.by_image);
  if (const auto interval = record::f1_interval(expected.by_image)) {
    expected.f1_low = interval->low;
    expected.f1_high = interval->high;
  }
  return expected;
}

}  // namespace nbs::evaluation
