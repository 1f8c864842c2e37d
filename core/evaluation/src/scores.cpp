// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/scores.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "nbs/evaluation/regions.h"
#include "nbs/evaluation/tolerance.h"

#include "pixel_scores.h"

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

record::Scores score(const std::vector<ScoredImage>& images, double threshold,
                     const std::vector<std::string>& seen_types) {
  record::Scores scores;
  scores.threshold = threshold;
  Counts pooled;
  double mean_image_f1 = 0;
  std::map<std::string, Counts> types;
  std::map<std::string, std::int64_t> images_of_type;
  std::vector<ScoredImage> image_level;  // one "pixel" an image
  for (const auto& image : images) {
    const Counts counts = count(image, threshold);
    auto& own = scores.by_image.emplace_back();
    set_pixels(own, counts);
    own.id = image.id;
    own.type = image.type;
    own.f1 = image_f1(counts);
    pooled += counts;
    mean_image_f1 += image_f1(counts) / static_cast<double>(images.size());
    if (!image.type.empty()) {
      types[image.type] += counts;
      ++images_of_type[image.type];
    }
    ScoredImage summary;
    summary.probability = {*std::max_element(image.probability.begin(), image.probability.end())};
    const bool anomalous = counts.true_positives + counts.false_negatives > 0;
    summary.mask = {static_cast<std::uint8_t>(anomalous ? 1 : 0)};
    image_level.push_back(std::move(summary));
  }
  set_pixels(scores, pooled);
  set_types(scores, types, images_of_type, seen_types);
  scores.iou = pooled.iou();
  scores.f1_tolerance_2 = f1_with_tolerance(images, threshold, 2);
  scores.f1_tolerance_5 = f1_with_tolerance(images, threshold, 5);
  scores.mean_image_f1 = mean_image_f1;
  const auto points = curve(images);
  scores.auroc = finite(area_under_roc(points));
  scores.average_precision = finite(average_precision(points));
  const auto oracle = best_f1(points);
  scores.oracle = {oracle.f1, oracle.threshold};
  scores.aupro = finite(area_under_region_overlap(images));
  scores.image_auroc = finite(area_under_roc(curve(image_level)));
  return scores;
}

}  // namespace nbs::evaluation
