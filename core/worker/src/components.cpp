// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/host/apart.h"
#include "nbs/host/registry.h"
#include "nbs/host/search_path.h"
#include "nbs/tensor.h"

#include "arguments.h"
#include "commands.h"

namespace nbs::worker {

namespace {

using Json = nlohmann::ordered_json;

// A constructor may take a while: networks are drawn there.
constexpr int kTimesAsLong = 5;

// A component of one of the pipelines.
struct Attempt {
  std::size_t pipeline = 0;
  Kind kind = Kind::sampler;
  const char* section = "";
  std::size_t index = 0;  // of a postprocessor
  config::ComponentSpec spec;
};

// The predictor first, which says whether a run makes the others.
std::vector<Attempt> attempts_of(const config::Pipeline& pipeline, std::size_t number) {
  std::vector<Attempt> all;
  for (const bool predictor : {true, false}) {
    config::visit_component_sections(pipeline, [&](Kind kind, const char* section, const auto& member) {
      if ((kind == Kind::predictor) != predictor) return;
      const auto specs = config::specs_of(member);
      for (std::size_t i = 0; i < specs.size(); ++i)
        all.push_back({number, kind, section, i, *specs[i]});
    });
  }
  return all;
}

Context::Facts facts_of(const config::Pipeline& pipeline) {
  Context::Facts facts;
  facts.image_size = pipeline.data.options.image_size;
  facts.patch_size = pipeline.profile.options.patch_size;
  facts.profile_length = pipeline.profile.options.length;
  return facts;
}

// Makes a component as a run would, and lets it go again.
Json make_once(const Attempt& attempt, const Context::Facts& facts, const host::Registry& registry) {
  Json answer = Json::object();
  Context context(facts, [](const std::string&) {});
  const auto& spec = attempt.spec;
  try {
    if (attempt.kind == Kind::predictor) {
      const auto made = registry.make<Predictor>(spec.plugin, spec.values, context, "", spec.library);
      answer["needs_profile"] = made->needs_profile();
      answer["learns"] = made->is_trainable();
    } else {
      registry.make(attempt.kind, spec.plugin, spec.values, context, "", spec.library);
    }
  } catch (const std::exception& error) {
    answer["reason"] = error.what();
  }
  return answer;
}

// What became of one pipeline's attempts, put together.
Json summary_of(const std::vector<Attempt>& attempts, const std::vector<Json>& answers, std::size_t pipeline) {
  bool needs_profile = true;
  bool learns = false;
  Json refusals = Json::array();
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const auto& attempt = attempts[i];
    if (attempt.pipeline != pipeline) continue;
    const auto& answer = answers[i];
    if (answer.contains("needs_profile")) {
      needs_profile = answer.at("needs_profile");
      learns = answer.at("learns");
    }
    // Without a profile, sampler and autoencoder are not used.
    if (!needs_profile && (attempt.kind == Kind::sampler || attempt.kind == Kind::autoencoder)) continue;
    if (answer.contains("reason"))
      refusals.push_back({{"section", attempt.section}, {"index", attempt.index}, {"reason", answer.at("reason")}});
  }
  return {{"needs_profile", needs_profile}, {"learns", learns}, {"refusals", refusals}};
}

}  // namespace

int components(const std::vector<std::string>& words) {
  const Arguments arguments(words);
  const auto texts = Json::parse(read_file(arguments.need_plain(0, "FILE"))).get<std::vector<std::string>>();
  std::map<std::vector<std::string>, const host::Registry*> registries;
  std::vector<config::Pipeline> pipelines;
  std::vector<const host::Registry*> registry_of;
  std::vector<Attempt> attempts;
  for (const auto& text : texts) {
    const auto document = config::Document::from_text(text, "components.toml");
    auto& registry = registries[config::plugin_path_of(document)];
    if (registry == nullptr)
      registry = host::Registry::open(host::plugin_search_path({}, config::plugin_path_of(document)));
    registry_of.push_back(registry);
    pipelines.push_back(config::resolve(document, registry->catalog(), config::Purpose::postprocess));
    for (auto& attempt : attempts_of(pipelines.back(), pipelines.size() - 1))
      attempts.push_back(std::move(attempt));
  }
  // In a process of their own: a constructor that crashes, hangs or ends the program costs its own pipeline alone.
  const auto made =
      host::run_apart(attempts.size(),
                      [&](std::size_t i) {
                        const auto& attempt = attempts[i];
                        return make_once(attempt, facts_of(pipelines[attempt.pipeline]), *registry_of[attempt.pipeline])
                            .dump(-1, ' ', false, Json::error_handler_t::replace);
                      },
                      {kTimesAsLong * host::plugin_seconds()});
  std::vector<Json> answers;
  for (std::size_t i = 0; i < made.size(); ++i) {
    answers.push_back(
        made[i].failure.empty()
            ? Json::parse(made[i].answer)
            : Json{{"reason", fmt::format("the {} \"{}\" {}, when a process of its own made it",
                                          kind_name(attempts[i].kind), attempts[i].spec.plugin, made[i].failure)}});
  }
  Json all = Json::array();
  for (std::size_t pipeline = 0; pipeline < pipelines.size(); ++pipeline)
    all.push_back(summary_of(attempts, answers, pipeline));
  put(all.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  return 0;
}

}  // namespace nbs::worker
