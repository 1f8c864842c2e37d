// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/diagnostics.h"

#include <cmath>
#include <cstdlib>

#include "fields.h"

namespace nbs::record {

namespace {

// What a person can see of a number, and bytes that do not hang on its last bits.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

struct SummaryList {
  const char* key;
  double LossSummary::*value;
};
constexpr SummaryList kSummaryLists[] = {{"mean", &LossSummary::mean},
                                         {"lower_quartile", &LossSummary::lower_quartile},
                                         {"median", &LossSummary::median},
                                         {"upper_quartile", &LossSummary::upper_quartile}};

struct PointList {
  const char* key;
  double PrecisionRecall::*value;
};
constexpr PointList kPointLists[] = {{"threshold", &PrecisionRecall::threshold},
                                     {"precision", &PrecisionRecall::precision},
                                     {"recall", &PrecisionRecall::recall}};

const ChoiceNames<SamplingPhase>& phase_names() {
  static const ChoiceNames<SamplingPhase> kNames = {{"cloning", SamplingPhase::cloning},
                                                    {"after_cloning", SamplingPhase::after_cloning}};
  return kNames;
}

// One list for each member, as `lists` name them.
template <typename Lists, typename Item>
void add_lists(Json& json, const Lists& lists, const std::vector<Item>& items) {
  for (const auto& [key, value] : lists) {
    auto& list = json[key] = Json::array();
    for (const auto& item : items)
      list.push_back(rounded(item.*value));
  }
}

template <typename Lists, typename Item>
void take_lists(const Fields& fields, const Lists& lists, std::vector<Item>& items) {
  items.clear();
  const char* first = nullptr;
  for (const auto& [key, value] : lists) {
    std::vector<double> numbers;
    fields.need(key, numbers);
    if (first == nullptr) items.resize(numbers.size());
    if (numbers.size() != items.size()) {
      throw Error(fmt::format("{} has {} numbers, but {} has {}", fields.at(key).to_string(), numbers.size(),
                              fields.at(first).to_string(), items.size()));
    }
    if (first == nullptr) first = key;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      items[i].*value = numbers[i];
  }
}

Json to_json(const PixelProfile& profile) {
  Json json;
  json["pixels"] = profile.pixels;
  add_lists(json, kSummaryLists, profile.maps);
  return json;
}

Json to_json(const LossProfile& profile) {
  return {{"anomalous", to_json(profile.anomalous)}, {"normal", to_json(profile.normal)}};
}

Json to_json(const PatchDensity& density) {
  Json json;
  if (!density.image.empty()) json["image_id"] = density.image;
  json["patches"] = density.patches;
  auto& cells = json["cells"] = Json::array();
  for (const double cell : density.cells)
    cells.push_back(rounded(cell));
  return json;
}

Json to_json(const SampledPlaces& places) {
  Json json;
  json["side"] = places.side;
  json["learning_sampler"] = places.learns;
  auto& phases = json["phases"] = Json::array();
  for (const auto& phase : places.phases) {
    auto& own = phases.emplace_back();
    own["phase"] = choice_name(phase.phase, phase_names());
    own["iterations"] = phase.iterations;
    own["all_images"] = to_json(phase.all);
    auto& labeled = own["labeled_images"] = Json::array();
    for (const auto& density : phase.labeled)
      labeled.push_back(to_json(density));
  }
  return json;
}

Json to_json(const PrecisionRecall& point) {
  Json json;
  for (const auto& [key, value] : kPointLists)
    json[key] = rounded(point.*value);
  return json;
}

Json to_json(const PrecisionRecallCurve& curve) {
  Json json;
  add_lists(json, kPointLists, curve.points);
  json["at_threshold"] = to_json(curve.chosen);
  json["at_best_f1"] = to_json(curve.oracle);
  return json;
}

PixelProfile pixel_profile(const Fields& fields) {
  PixelProfile profile;
  fields.need("pixels", profile.pixels);
  take_lists(fields, kSummaryLists, profile.maps);
  return profile;
}

Fields below(const Fields& fields, const char* key) {
  const Json* found = fields.find(key);
  if (found == nullptr) throw Error(fmt::format("{} is missing", fields.at(key).to_string()));
  return {*found, fields.at(key)};
}

void take_profile(const Fields& fields, const char* key, std::optional<LossProfile>& to) {
  if (fields.find(key) == nullptr) return;
  const auto own = below(fields, key);
  to = LossProfile{pixel_profile(below(own, "anomalous")), pixel_profile(below(own, "normal"))};
}

PatchDensity patch_density(const Fields& fields, std::int64_t side) {
  PatchDensity density;
  fields.take("image_id", density.image);
  fields.need("patches", density.patches);
  fields.need("cells", density.cells);
  if (static_cast<std::int64_t>(density.cells.size()) != side * side) {
    throw Error(fmt::format("{} has {} numbers, but an image is divided into {} x {}", fields.at("cells").to_string(),
                            density.cells.size(), side, side));
  }
  return density;
}

SampledPlaces sampled_places(const Fields& fields) {
  SampledPlaces places;
  fields.need("side", places.side);
  if (places.side < 1 || places.side > kMostSide)
    refuse(*fields.find("side"), fields.at("side"), fmt::format("a number from 1 to {}", kMostSide));
  fields.need("learning_sampler", places.learns);
  const auto phases = fields.at("phases");
  const Json* found = fields.find("phases");
  if (found == nullptr) throw Error(fmt::format("{} is missing", phases.to_string()));
  std::size_t index = 0;
  for (const auto& json : list_at(*found, phases)) {
    const Fields own(json, phases / index++);
    auto& phase = places.phases.emplace_back();
    own.need_word("phase", phase_names(), phase.phase);
    own.need("iterations", phase.iterations);
    phase.all = patch_density(below(own, "all_images"), places.side);
    const auto images = own.at("labeled_images");
    const Json* list = own.find("labeled_images");
    if (list == nullptr) throw Error(fmt::format("{} is missing", images.to_string()));
    std::size_t image = 0;
    for (const auto& item : list_at(*list, images))
      phase.labeled.push_back(patch_density(Fields(item, images / image++), places.side));
  }
  return places;
}

PrecisionRecall point_of(const Fields& fields) {
  PrecisionRecall point;
  for (const auto& [key, value] : kPointLists)
    fields.need(key, point.*value);
  return point;
}

PrecisionRecallCurve curve_of(const Fields& fields) {
  PrecisionRecallCurve curve;
  take_lists(fields, kPointLists, curve.points);
  curve.chosen = point_of(below(fields, "at_threshold"));
  curve.oracle = point_of(below(fields, "at_best_f1"));
  return curve;
}

}  // namespace

Json to_json(const Diagnostics& diagnostics) {
  Json json = Json::object();
  if (diagnostics.labeled_profile) json["labeled_profile"] = to_json(*diagnostics.labeled_profile);
  if (diagnostics.scored_profile) json["scored_profile"] = to_json(*diagnostics.scored_profile);
  if (diagnostics.sampled) json["sampled"] = to_json(*diagnostics.sampled);
  if (diagnostics.curve) json["precision_recall"] = to_json(*diagnostics.curve);
  return json;
}

Diagnostics diagnostics_from_json(const Json& json) {
  const Fields fields(json, Pointer());
  Diagnostics diagnostics;
  take_profile(fields, "labeled_profile", diagnostics.labeled_profile);
  take_profile(fields, "scored_profile", diagnostics.scored_profile);
  if (fields.find("sampled") != nullptr) diagnostics.sampled = sampled_places(below(fields, "sampled"));
  if (fields.find("precision_recall") != nullptr) diagnostics.curve = curve_of(below(fields, "precision_recall"));
  return diagnostics;
}

}  // namespace nbs::record
