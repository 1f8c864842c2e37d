// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nbs/config/pipeline.h"

#include "error_text.h"

namespace nbs::test {

/// Plugins that exist only as descriptions: two samplers with an option of the same name, an autoencoder with lists of
/// every type, a predictor without options, and two postprocessors.
inline host::Catalog example_catalog() {
  const auto spec = [](const char* name, Value value) {
    OptionSpec made;
    made.name = name;
    made.type = type_of(value);
    made.default_value = std::move(value);
    return made;
  };
  const auto plugin = [](Kind kind, const char* name, std::vector<OptionSpec> options) {
    host::PluginDescription made;
    made.kind = kind;
    made.name = name;
    made.options = std::move(options);
    return made;
  };
  auto step = spec("step", std::int64_t{4});
  step.minimum = 1;
  step.maximum = 64;
  auto start = spec("start", std::string("center"));
  start.choices = {"center", "corner"};
  auto channels = spec("channels", std::vector<std::int64_t>{16, 32});
  channels.minimum = 1;
  auto inputs = spec("inputs", std::vector<std::string>{"image"});
  inputs.choices = {"image", "loss"};
  auto sigma = spec("sigma", 1.5);
  sigma.minimum = 0;
  host::Catalog catalog;
  catalog.searched = {"/opt/plugins"};
  catalog.plugins = {
      plugin(Kind::sampler, "walk", {step, start, spec("jump", false)}),
      plugin(Kind::sampler, "still", {step}),
      plugin(Kind::autoencoder, "linear", {channels, spec("rates", std::vector<double>{0.1}), inputs}),
      plugin(Kind::predictor, "mean", {}),
      plugin(Kind::postprocessor, "smooth", {sigma, spec("label", std::string())}),
      plugin(Kind::postprocessor, "open", {spec("radius", std::int64_t{1})}),
  };
  return catalog;
}

/// A pipeline with nothing wrong; tests add to it.
inline const char* const kGood =
    "[sampler]\nplugin = \"walk\"\n"
    "[autoencoder]\nplugin = \"linear\"\n"
    "[predictor]\nplugin = \"mean\"\n";

inline config::Pipeline resolved(const std::string& pipeline, const std::vector<std::string>& overrides = {}) {
  auto document = config::Document::from_text(pipeline, "p.toml");
  document.apply(overrides);
  return config::resolve(document, example_catalog());
}

/// The problems that `action` finds, each as "place: message".
template <typename Action>
std::vector<std::string> problems_of(const Action& action) {
  std::vector<std::string> texts;
  try {
    action();
  } catch (const config::DiagnosticsError& error) {
    for (const auto& problem : error.problems())
      texts.push_back(problem.text());
  }
  return texts;
}

inline std::vector<std::string> problems_in(const std::string& pipeline,
                                            const std::vector<std::string>& overrides = {}) {
  return problems_of([&] { resolved(pipeline, overrides); });
}

/// The value of an option of a component.
inline Value value_of(const config::ComponentSpec& spec, const std::string& option) {
  for (const auto& [name, value] : spec.values) {
    if (name == option) return value;
  }
  throw Error("there is no option " + option);
}

}  // namespace nbs::test
