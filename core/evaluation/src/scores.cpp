// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "nbs/evaluation/regions.h"

#include "curve_sums.h"
#include "pixel_scores.h"
#include "region_overlap.h"

namespace nbs::evaluation {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

// By type of defect, and the seen and unseen ones together; normal images are in neither.
void set_types(record::Scores& scores, const std::map<std::string, Counts>& types,
               const std::map<std::string, std::int64_t>& images, const std::vector<std::string>& seen_types) {
  Counts seen;
  Counts unseen;
  for (const auto& [name, counts] : types) {
    auto& type = scores.by_type.emplace_back();
    set_pixels(type, counts);
    type.type = name;
    type.seen = std::find(seen_types.begin(), seen_types.end(), name) != seen_types.end();
    type.images = images.at(name);
    if (name != record::kNormalType) (*type.seen ? seen : unseen) += counts;
  }
  if (types.empty()) return;
  set_pixels(scores.seen_types.emplace(), seen);
  set_pixels(scores.unseen_types.emplace(), unseen);
}

}  // namespace

double Counts::precision() const {
  return ratio(true_positives, true_positives + false_positives);
}
double Counts::recall() const {
  return ratio(true_positives, true_positives + false_negatives);
}
double Counts::f1() const {
  return evaluation::f1(true_positives, false_positives, false_negatives);
}
double Counts::iou() const {
  return ratio(true_positives, true_positives + false_positives + false_negatives);
}

Counts& Counts::operator+=(const Counts& other) {
  true_positives += other.true_positives;
  false_positives += other.false_positives;
  false_negatives += other.false_negatives;
  return *this;
}

Counts count(const ScoredImage& image, double threshold) {
  Counts counts;
  for (std::size_t i = 0; i < image.probability.size(); ++i) {
    const bool predicted = image.probability[i] >= threshold;
    const bool anomalous = image.mask[i] != 0;
    counts.true_positives += predicted && anomalous ? 1 : 0;
    counts.false_positives += predicted && !anomalous ? 1 : 0;
    counts.false_negatives += !predicted && anomalous ? 1 : 0;
  }
  return counts;
}

double image_f1(const Counts& counts) {
  if (counts.true_positives + counts.false_negatives == 0) return counts.false_positives == 0 ? 1 : 0;
  return counts.f1();
}

Scorer::Scorer(double threshold, std::vector<std::string> seen_types, std::filesystem::path folder,
               std::size_t kept_bytes)
    : threshold_(threshold),
      seen_types_(std::move(seen_types)),
      within_2_(threshold, 2),
      within_5_(threshold, 5),
      levels_(std::move(folder), kept_bytes) {
  scores_.threshold = threshold;
}

void Scorer::add(const ScoredImage& image) {
  const Counts counts = count(image, threshold_);
  auto& own = scores_.by_image.emplace_back();
  set_pixels(own, counts);
  own.id = image.id;
  own.type = image.type;
  own.f1 = image_f1(counts);
  pooled_ += counts;
  if (!image.type.empty()) {
    types_[image.type] += counts;
    ++images_of_type_[image.type];
  }
  ScoredImage summary;
  summary.probability = {*std::max_element(image.probability.begin(), image.probability.end())};
  const bool anomalous = counts.true_positives + counts.false_negatives > 0;
  summary.mask = {static_cast<std::uint8_t>(anomalous ? 1 : 0)};
  image_level_.push_back(std::move(summary));
  within_2_.add(image);
  within_5_.add(image);
  levels_.add(image);
}

record::Scores Scorer::scores() {
  auto scores = scores_;
  set_pixels(scores, pooled_);
  set_types(scores, types_, images_of_type_, seen_types_);
  scores.iou = pooled_.iou();
  scores.f1_tolerance_2 = within_2_.value();
  scores.f1_tolerance_5 = within_5_.value();
  scores.mean_image_f1 = 0;
  for (const auto& image : scores.by_image)
    *scores.mean_image_f1 += *image.f1 / static_cast<double>(scores.by_image.size());
  RocArea roc;
  PrecisionSum precision;
  BestPoint best(levels_.anomalous());
  RegionOverlap overlap(levels_.regions(), levels_.normal(), kOverlapLimit);
  bool overlapping = true;
  CurvePoint point;
  levels_.walk([&](const PixelLevel& level) {
    point.threshold = level.probability;
    point.true_positives += level.anomalous;
    point.false_positives += level.normal;
    roc.add(point);
    precision.add(point);
    best.add(point);
    if (overlapping) overlapping = overlap.add(level);
    return true;
  });
  scores.auroc = finite(roc.value());
  scores.average_precision = finite(precision.value());
  const auto oracle = best.value();
  scores.oracle = {oracle.f1, oracle.threshold};
  scores.aupro = finite(overlap.value());
  scores.image_auroc = finite(area_under_roc(curve(image_level_)));
  return scores;
}

record::Scores score(const std::vector<ScoredImage>& images, double threshold,
                     const std::vector<std::string>& seen_types) {
  Scorer scorer(threshold, seen_types, {}, std::numeric_limits<std::size_t>::max());
  for (const auto& image : images)
    scorer.add(image);
  return scorer.scores();
}

}  // namespace nbs::evaluation
