// SPDX-License-Identifier: Apache-2.0
#include "result_file.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/host/catalog.h"

namespace nbs::worker {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLargest = 256U << 20U;

// JSON of anybody's for a sentence: printable, and neither endless nor nested.
std::string text_of(const Json& json) {
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  auto text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "…";
  return text;
}

[[noreturn]] void damaged(const std::filesystem::path& file, const std::string& reason) {
  throw Error(fmt::format("{} is damaged: {}; copy the run's folder again, or run it again", file.string(), reason));
}

bool is_sha256(const Json& json) {
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::map<std::string, std::string> model_of(const Json& result, const std::filesystem::path& file) {
  if (!result.contains("model")) {
    const auto old = file.parent_path() / "model" / "predictor.pt";
    if (std::filesystem::exists(old)) {
      throw Error(
          fmt::format("the model {} was made by an earlier version of nbs, whose files can run code when they "
                      "are loaded, so it is not read; run {} again",
                      old.string(), (file.parent_path() / "resolved.toml").string()));
    }
    damaged(file, "it names no files of a model under \"model\"");
  }
  const auto& model = result.at("model");
  if (!model.is_object()) damaged(file, fmt::format("\"model\" is {}, but an object is wanted", text_of(model)));
  std::map<std::string, std::string> hashes;
  for (const auto& [name, hash] : model.items()) {
    if (!is_sha256(hash))
      damaged(file, fmt::format("the SHA-256 of {} is {}, which is none", text_of(name), text_of(hash)));
    hashes[name] = hash.get<std::string>();
  }
  return hashes;
}

// Whether `json` is of the type of an option, exactly: no number is rounded and no truth value counts as 1.
template <typename Held>
bool is_a(const Json& json) {
  if constexpr (std::is_same_v<Held, bool>) {
    return json.is_boolean();
  } else if constexpr (std::is_same_v<Held, std::int64_t>) {
    return json.is_number_integer() &&
           (!json.is_number_unsigned() || json.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  } else if constexpr (std::is_same_v<Held, double>) {
    return json.is_number() && std::isfinite(json.get<double>());
  } else if constexpr (std::is_same_v<Held, std::string>) {
    return json.is_string();
  } else {
    return json.is_array() && std::all_of(json.begin(), json.end(), is_a<typename Held::value_type>);
  }
}

}  // namespace

RunResult read_result(const std::filesystem::path& run_folder) {
  const auto file = run_folder / "result.json";
  if (!std::filesystem::exists(file)) {
    throw Error(
        fmt::format("{} holds no result.json, so it is no folder of a run that has ended; name one that nbs run "
                    "has printed",
                    run_folder.string()));
  }
  // Without exceptions, as their texts speak of the parser; a deep nest or a number beyond a double is no result
  // either.
  const auto result = Json::parse(read_file(file, "result", kLargest), nullptr, false);
  if (result.is_discarded()) damaged(file, "it is no JSON");
  if (!result.is_object()) damaged(file, fmt::format("it is {}, but an object is wanted", text_of(result)));
  if (!result.contains("ending") || !result.at("ending").is_string())
    damaged(file, "it does not say how the run ended");
  if (!result.contains("threshold") && !result.contains("best")) {
    if (result.at("ending") == "diverged") {
      throw Error(
          fmt::format("the run {} diverged before there was a moment worth keeping, so it has no model; lower "
                      "the learning rate that its result.json speaks of and run it again",
                      run_folder.string()));
    }
    throw Error(fmt::format("the run {} ended before any profile was full, so it has no model; run it longer",
                            run_folder.string()));
  }
  if (!result.contains("threshold")) damaged(file, "it has no \"threshold\"");
  const auto& threshold = result.at("threshold");
  RunResult found;
  if (threshold.is_number()) found.threshold = threshold.get<double>();
  if (!threshold.is_number() || !(found.threshold >= 0 && found.threshold <= std::nextafter(1.0, 2.0))) {
    damaged(file, fmt::format("\"threshold\" is {}, but a probability from 0 to 1 is wanted", text_of(threshold)));
  }
  found.model = model_of(result, file);
  if (result.contains("tuned_postproc")) {
    found.tuned_postproc = result.at("tuned_postproc");
    if (!found.tuned_postproc.is_array()) {
      damaged(file, fmt::format("\"tuned_postproc\" is {}, but a list is wanted", text_of(found.tuned_postproc)));
    }
  }
  return found;
}

Json to_json(const std::vector<OptionValues>& values) {
  auto json = Json::array();
  for (const auto& link : values) {
    auto object = Json::object();
    for (const auto& [name, value] : link)
      object[name] = host::to_json(value);
    json.push_back(std::move(object));
  }
  return json;
}

std::vector<OptionValues> values_from_json(const Json& json, const std::vector<config::ComponentSpec>& chain) {
  constexpr const char* kAdvice = "copy the run's folder again, or run it again";
  if (json.size() != chain.size()) {
    throw Error(fmt::format("result.json has tuned options of {} postprocessors, but the pipeline has {}; {}",
                            json.size(), chain.size(), kAdvice));
  }
  std::vector<OptionValues> all;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    OptionValues values = chain[i].values;
    const auto& link = json[i];
    const auto refuse = [&](const std::string& reason) {
      throw Error(fmt::format("the tuned options of {} in result.json {}; {}", chain[i].plugin, reason, kAdvice));
    };
    if (!link.is_object() || link.size() != values.size())
      refuse(fmt::format("are {}, but {} options are wanted", text_of(link), values.size()));
    for (auto& [name, value] : values) {
      if (!link.contains(name)) refuse(fmt::format("lack {}", name));
      const auto& given = link.at(name);
      const bool fits = std::visit([&](const auto& held) { return is_a<std::decay_t<decltype(held)>>(given); }, value);
      if (!fits) refuse(fmt::format("have {} = {}, which is of another type", name, text_of(given)));
      std::visit([&](auto& held) { held = given.get<std::decay_t<decltype(held)>>(); }, value);
    }
    all.push_back(std::move(values));
  }
  return all;
}

}  // namespace nbs::worker
