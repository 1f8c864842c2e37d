// SPDX-License-Identifier: Apache-2.0
#include "scores_json.h"

#include <utility>

namespace nbs::record {

namespace {

struct RatioKey {
  const char* key;
  std::optional<double> PixelScores::*value;
};
constexpr RatioKey kRatios[] = {
    {"precision", &PixelScores::precision}, {"recall", &PixelScores::recall}, {"f1", &PixelScores::f1}};

struct CountKey {
  const char* key;
  std::optional<std::int64_t> PixelScores::*value;
};
constexpr CountKey kCounts[] = {{"true_positives", &PixelScores::true_positives},
                                {"false_positives", &PixelScores::false_positives},
                                {"false_negatives", &PixelScores::false_negatives}};

struct SummaryKey {
  const char* key;
  std::optional<double> ScoreSummary::*value;
};
constexpr SummaryKey kAreas[] = {{"mean_image_f1", &ScoreSummary::mean_image_f1},
                                 {"auroc", &ScoreSummary::auroc},
                                 {"average_precision", &ScoreSummary::average_precision},
                                 {"aupro", &ScoreSummary::aupro},
                                 {"image_auroc", &ScoreSummary::image_auroc}};

// Older results lack these, and are still complete. They are left out where there is no value.
constexpr SummaryKey kLaterKeys[] = {{"iou", &ScoreSummary::iou},
                                     {"f1_tolerance_2", &ScoreSummary::f1_tolerance_2},
                                     {"f1_tolerance_5", &ScoreSummary::f1_tolerance_5}};

void add_pixels(Json& json, const PixelScores& pixels) {
  for (const auto& [key, value] : kRatios)
    json[key] = number_or_null(pixels.*value);
  for (const auto& [key, value] : kCounts)
    json[key] = integer_or_null(pixels.*value);
}

void take_pixels(const Fields& fields, PixelScores& pixels) {
  for (const auto& [key, value] : kRatios)
    fields.need(key, pixels.*value);
  for (const auto& [key, value] : kCounts)
    fields.need(key, pixels.*value);
}

void add_head(Json& json, const ScoreSummary& scores) {
  json["threshold"] = number_or_null(scores.threshold);
  add_pixels(json, scores);
  for (const auto& [key, value] : kLaterKeys) {
    if (scores.*value) json[key] = number_or_null(scores.*value);
  }
  for (const auto& [key, value] : kAreas)
    json[key] = number_or_null(scores.*value);
  json["oracle"] = {{"f1", number_or_null(scores.oracle.f1)}, {"threshold", number_or_null(scores.oracle.threshold)}};
}

void add_seen(Json& json, const ScoreSummary& scores) {
  if (scores.seen_types) add_pixels(json["seen_types"], *scores.seen_types);
  if (scores.unseen_types) add_pixels(json["unseen_types"], *scores.unseen_types);
}

Json to_json(const TypeScore& type) {
  Json json;
  json["type"] = type.type;
  if (type.seen) json["seen"] = *type.seen;
  json["images"] = integer_or_null(type.images);
  add_pixels(json, type);
  return json;
}

// The image's F1 stands first, as it is what people look for.
Json to_json(const ImageScore& image) {
  Json json = {{"id", image.id}, {"type", image.type}, {"f1", nullptr}};
  add_pixels(json, image);
  return json;
}

// Reads the object below `key`, if there is one.
template <typename T, typename Take>
void take_object(const Fields& fields, const char* key, std::optional<T>& to, Take take) {
  const Json* found = fields.find(key);
  if (found == nullptr || found->is_null()) return;
  to.emplace();
  take(Fields(*found, fields.at(key), fields.complete()), *to);
}

void take_summary(const Fields& fields, ScoreSummary& scores) {
  fields.need("threshold", scores.threshold);
  take_pixels(fields, scores);
  for (const auto& [key, value] : kLaterKeys)
    fields.take(key, scores.*value);
  for (const auto& [key, value] : kAreas)
    fields.need(key, scores.*value);
  std::optional<OracleScore> oracle;
  take_object(fields, "oracle", oracle, [](const Fields& own, OracleScore& to) {
    own.need("f1", to.f1);
    own.need("threshold", to.threshold);
  });
  scores.oracle = oracle.value_or(OracleScore{});
  take_object(fields, "seen_types", scores.seen_types, take_pixels);
  take_object(fields, "unseen_types", scores.unseen_types, take_pixels);
}

void take_image(const Fields& fields, ImageScore& to) {
  fields.need("id", to.id);
  fields.need("type", to.type);
  take_pixels(fields, to);
}

template <typename T, typename Take>
void take_list(const Fields& fields, const char* key, std::vector<T>& to, Take take) {
  const Json* found = fields.find(key);
  if (found == nullptr) return;
  const auto at = fields.at(key);
  std::size_t index = 0;
  for (const auto& item : list_at(*found, at))
    take(Fields(item, at / index++, fields.complete()), to.emplace_back());
}

}  // namespace

Json to_json(const Scores& scores) {
  Json json;
  add_head(json, scores);
  auto& types = json["by_type"] = Json::array();
  for (const auto& type : scores.by_type)
    types.push_back(to_json(type));
  add_seen(json, scores);
  auto& images = json["by_image"] = Json::array();
  for (const auto& image : scores.by_image)
    images.push_back(to_json(image));
  if (scores.before_postproc) {
    auto& before = json["before_postproc"];
    add_head(before, *scores.before_postproc);
    add_seen(before, *scores.before_postproc);
  }
  return json;
}

Json to_json(const ExpectedScores& expected) {
  Json json;
  add_pixels(json, expected);
  json["f1_low"] = number_or_null(expected.f1_low);
  json["f1_high"] = number_or_null(expected.f1_high);
  if (expected.unlabeled) json["unlabeled_images"] = *expected.unlabeled;
  auto& images = json["by_image"] = Json::array();
  for (const auto& image : expected.by_image)
    images.push_back(to_json(image));
  return json;
}

ExpectedScores expected_from_json(const Json& json, const Pointer& at, bool complete) {
  ExpectedScores expected;
  const Fields fields(json, at, complete);
  take_pixels(fields, expected);
  fields.need("f1_low", expected.f1_low);
  fields.need("f1_high", expected.f1_high);
  fields.take("unlabeled_images", expected.unlabeled);
  take_list(fields, "by_image", expected.by_image, take_image);
  return expected;
}

Scores scores_from_json(const Json& json, const Pointer& at, bool complete) {
  Scores scores;
  const Fields fields(json, at, complete);
  take_summary(fields, scores);
  take_list(fields, "by_type", scores.by_type, [](const Fields& own, TypeScore& to) {
    own.need("type", to.type);
    own.need("seen", to.seen);
    own.need("images", to.images);
    take_pixels(own, to);
  });
  take_list(fields, "by_image", scores.by_image, take_image);
  take_object(fields, "before_postproc", scores.before_postproc, take_summary);
  return scores;
}

}  // namespace nbs::record
