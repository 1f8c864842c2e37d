// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/scores.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "nbs/evaluation/regions.h"

namespace nbs::evaluation {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

nlohmann::ordered_json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

void add_counts(nlohmann::ordered_json& json, const Counts& counts) {
  json["precision"] = counts.precision();
  json["recall"] = counts.recall();
  json["f1"] = counts.f1();
  json["true_positives"] = counts.true_positives;
  json["false_positives"] = counts.false_positives;
  json["false_negatives"] = counts.false_negatives;
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

Scores score(const std::vector<ScoredImage>& images, double threshold, const std::vector<std::string>& seen_types) {
  Scores scores;
  scores.threshold = threshold;
  std::map<std::string, TypeScore> types;
  std::vector<ScoredImage> image_level;  // one "pixel" an image
  for (const auto& image : images) {
    ImageScore own{image.id, image.type, count(image, threshold), 0};
    own.f1 = image_f1(own.counts);
    scores.pooled += own.counts;
    scores.mean_image_f1 += own.f1 / static_cast<double>(images.size());
    if (!image.type.empty()) {
      auto& type = types[image.type];
      type.type = image.type;
      type.seen = std::find(seen_types.begin(), seen_types.end(), image.type) != seen_types.end();
      ++type.images;
      type.counts += own.counts;
    }
    ScoredImage summary;
    summary.probability = {*std::max_element(image.probability.begin(), image.probability.end())};
    const bool anomalous = own.counts.true_positives + own.counts.false_negatives > 0;
    summary.mask = {static_cast<std::uint8_t>(anomalous ? 1 : 0)};
    image_level.push_back(std::move(summary));
    scores.images.push_back(std::move(own));
  }
  for (auto& [name, type] : types)
    scores.types.push_back(std::move(type));
  const auto points = curve(images);
  scores.auroc = area_under_roc(points);
  scores.average_precision = average_precision(points);
  scores.oracle = best_f1(points);
  scores.aupro = area_under_region_overlap(images);
  scores.image_auroc = area_under_roc(curve(image_level));
  return scores;
}

nlohmann::ordered_json to_json(const Scores& scores) {
  nlohmann::ordered_json json;
  json["threshold"] = scores.threshold;
  add_counts(json, scores.pooled);
  json["mean_image_f1"] = scores.mean_image_f1;
  json["auroc"] = number(scores.auroc);
  json["average_precision"] = number(scores.average_precision);
  json["aupro"] = number(scores.aupro);
  json["image_auroc"] = number(scores.image_auroc);
  json["oracle"] = {{"f1", scores.oracle.f1}, {"threshold", scores.oracle.threshold}};
  auto& types = json["by_type"] = nlohmann::ordered_json::array();
  Counts seen;
  Counts unseen;
  for (const auto& type : scores.types) {
    nlohmann::ordered_json entry;
    entry["type"] = type.type;
    entry["seen"] = type.seen;
    entry["images"] = type.images;
    add_counts(entry, type.counts);
    types.push_back(std::move(entry));
    if (type.type != "good") (type.seen ? seen : unseen) += type.counts;
  }
  if (!scores.types.empty()) {
    add_counts(json["seen_types"], seen);
    add_counts(json["unseen_types"], unseen);
  }
  auto& images = json["by_image"] = nlohmann::ordered_json::array();
  for (const auto& image : scores.images) {
    images.push_back({{"id", image.id},
                      {"type", image.type},
                      {"f1", image.f1},
                      {"precision", image.counts.precision()},
                      {"recall", image.counts.recall()},
                      {"true_positives", image.counts.true_positives},
                      {"false_positives", image.counts.false_positives},
                      {"false_negatives", image.counts.false_negatives}});
  }
  return json;
}

}  // namespace nbs::evaluation
