// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/run_result.h"

#include "nbs/host/catalog.h"

#include "fields.h"
#include "scores_json.h"

namespace nbs::record {

namespace {

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// 1 without a number.
std::int64_t format_of(const Fields& fields) {
  std::int64_t format = 1;
  fields.take("format", format);
  if (format > kResultFormat) {
    throw NewerFormatError(
        fmt::format("/format is {}, but this version of nbs reads forms up to {}; use the version that wrote it",
                    format, kResultFormat));
  }
  if (format < 1) refuse(*fields.find("format"), fields.at("format"), "a number from 1");
  return format;
}

void take_experiment(const Fields& fields, ExperimentLabels& to) {
  fields.need("dataset", to.dataset);
  fields.need("method", to.method);
  fields.need("seed", to.seed);
  fields.need("split_seed", to.split_seed);
  fields.need("labeled", to.labeled);
}

void take_head(const Fields& fields, RunResult& result) {
  fields.need("name", result.name);
  if (const Json* found = fields.find("experiment")) {
    take_experiment(Fields(*found, fields.at("experiment"), fields.complete()), result.experiment);
  } else if (fields.complete()) {
    throw Error("/experiment is missing");
  }
  fields.take("explanation", result.explanation);
  fields.take("model_from", result.model_from);
  fields.take("images", result.images);
  fields.need("iterations", result.iterations);
  if (const Json* found = fields.find("best")) {
    const Fields own(*found, fields.at("best"), fields.complete());
    result.checkpoint.emplace();
    own.need("iteration", result.checkpoint->iteration);
    own.take("l_pred", result.checkpoint->l_pred);
  }
}

void take_model(const Fields& fields, RunResult& result) {
  const Json* found = fields.find("model");
  if (found == nullptr) return;
  auto& model = result.model.emplace();
  const auto files = fields.at("model");
  for (const auto& [name, hash] : object_at(*found, files).items()) {
    const auto at = files / name;
    convert(hash, at, model[name]);
    if (!is_sha256(model[name])) refuse(hash, at, "a SHA-256 of 64 hexadecimal digits");
  }
}

void take_tuning(const Fields& fields, RunResult& result) {
  if (const Json* found = fields.find("tuned_postproc")) {
    auto& chain = result.tuned_postproc.emplace();
    const auto links = fields.at("tuned_postproc");
    std::size_t index = 0;
    for (const auto& link : list_at(*found, links)) {
      const auto at = links / index++;
      auto& values = chain.emplace_back();
      for (const auto& [name, value] : object_at(link, at).items())
        convert(value, at / name, values.emplace_back(name, Value{}).second);
    }
  }
  if (const Json* found = fields.find("tuning_f1")) {
    const Fields own(*found, fields.at("tuning_f1"), fields.complete());
    own.need("before", result.tuning_f1.emplace().before);
    own.need("after", result.tuning_f1->after);
  }
}

void take_missing_pictures(const Fields& fields, RunResult& result) {
  const Json* found = fields.find("missing_pictures");
  if (found == nullptr) return;
  const Fields own(*found, fields.at("missing_pictures"));
  own.need("count", result.missing_pictures.emplace().count);
  own.need("reasons", result.missing_pictures->reasons);
}

void take_seconds(const Fields& fields, RunResult& result) {
  const Json* found = fields.find("seconds");
  if (found == nullptr) return;
  const Fields own(*found, fields.at("seconds"), fields.complete());
  result.seconds.emplace();
  for (const auto& stage : stages()) {
    auto& seconds = *result.seconds.*stage.seconds;
    if (stage.always || own.find(stage.name) != nullptr) own.need(stage.name, seconds);
  }
}

void add_head(Json& json, const RunResult& result) {
  json["format"] = kResultFormat;
  json["name"] = result.name;
  json["experiment"] = {{"dataset", result.experiment.dataset},
                        {"method", result.experiment.method},
                        {"seed", integer_or_null(result.experiment.seed)},
                        {"split_seed", integer_or_null(result.experiment.split_seed)},
                        {"labeled", integer_or_null(result.experiment.labeled)}};
  json["stop_reason"] = choice_name(result.stop_reason, stop_reasons());
  if (!result.explanation.empty()) json["explanation"] = result.explanation;
  json["iterations"] = result.iterations;
  if (result.checkpoint) {
    json["best"]["iteration"] = integer_or_null(result.checkpoint->iteration);
    const auto l_pred = number_or_null(result.checkpoint->l_pred);
    if (!l_pred.is_null()) json["best"]["l_pred"] = l_pred;
  }
  if (result.model) {
    auto& model = json["model"] = Json::object();
    for (const auto& [name, hash] : *result.model)
      model[name] = hash;
  }
  if (!result.model_from.empty()) json["model_from"] = result.model_from;
  if (!result.images.empty()) json["images"] = result.images;
}

void add_tuning(Json& json, const RunResult& result) {
  if (result.tuned_postproc) {
    auto& chain = json["tuned_postproc"] = Json::array();
    for (const auto& values : *result.tuned_postproc) {
      Json link = Json::object();
      for (const auto& [name, value] : values)
        link[name] = host::to_json(value);
      chain.push_back(std::move(link));
    }
  }
  if (result.tuning_f1) {
    json["tuning_f1"] = {{"before", number_or_null(result.tuning_f1->before)},
                         {"after", number_or_null(result.tuning_f1->after)}};
  }
}

}  // namespace

std::optional<double> score_of(const RunResult& result, Score score) {
  if (score == Score::expected_f1) return result.expected ? result.expected->f1 : std::nullopt;
  return result.scores && any_score(*result.scores) ? score_of(*result.scores, score) : std::nullopt;
}

const std::vector<Stage>& stages() {
  static const std::vector<Stage> kStages = {{"rollout", &Seconds::rollout},
                                             {"autoencoder", &Seconds::autoencoder},
                                             {"evaluate", &Seconds::evaluate},
                                             {"predictor", &Seconds::predictor},
                                             {"cross_fit", &Seconds::cross_fit, false},
                                             {"policy", &Seconds::policy},
                                             {"training", &Seconds::training},
                                             {"total", &Seconds::total}};
  return kStages;
}

Json to_json(const RunResult& result) {
  Json json;
  add_head(json, result);
  add_tuning(json, result);
  if (result.threshold_rule) json["threshold_rule"] = choice_name(*result.threshold_rule, config::threshold_rules());
  if (result.threshold) json["threshold"] = number_or_null(result.threshold);
  if (result.expected) json["expected"] = to_json(*result.expected);
  // Null says that there were predictions, but no mask to compare them with.
  if (result.scores) {
    json["scores"] = to_json(*result.scores);
  } else if (result.threshold) {
    json["scores"] = nullptr;
  }
  if (result.missing_pictures) {
    json["missing_pictures"] = {{"count", result.missing_pictures->count},
                                {"reasons", result.missing_pictures->reasons}};
  }
  if (result.seconds) {
    auto& seconds = json["seconds"];
    for (const auto& stage : stages()) {
      const auto& spent = *result.seconds.*stage.seconds;
      if (stage.always || spent) seconds[stage.name] = number_or_null(spent);
    }
  }
  if (result.peak_memory_mib) json["peak_memory_mib"] = number_or_null(result.peak_memory_mib);
  return json;
}

RunResult run_result_from_json(const Json& json) {
  const std::int64_t format = format_of(Fields(json, Pointer()));
  const bool complete = format >= 2;
  const Fields fields(json, Pointer(), complete);
  RunResult result;
  Fields(json, Pointer()).need_word(complete ? "stop_reason" : "ending", stop_reasons(), result.stop_reason);
  take_head(fields, result);
  take_model(fields, result);
  take_tuning(fields, result);
  if (fields.find("threshold_rule") != nullptr)
    fields.need_word("threshold_rule", config::threshold_rules(), result.threshold_rule.emplace());
  fields.take("threshold", result.threshold);
  if (const Json* found = fields.find("expected"); found != nullptr)
    result.expected = expected_from_json(*found, fields.at("expected"), complete);
  if (const Json* found = fields.find("scores"); found != nullptr && !found->is_null())
    result.scores = scores_from_json(*found, fields.at("scores"), complete);
  take_missing_pictures(fields, result);
  take_seconds(fields, result);
  fields.take("peak_memory_mib", result.peak_memory_mib);
  return result;
}

}  // namespace nbs::record
