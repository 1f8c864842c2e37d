// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/host/registry.h"
#include "nbs/host/search_path.h"
#include "nbs/torch.h"

#include "arguments.h"
#include "commands.h"

namespace nbs::worker {

namespace {

using Json = nlohmann::ordered_json;

// Makes every component of a pipeline as a run would and lets it go again.
Json try_components(const config::Pipeline& pipeline, const host::Registry& registry) {
  Context::Facts facts;
  facts.image_size = pipeline.data.options.image_size;
  facts.patch_size = pipeline.profile.options.patch_size;
  facts.profile_length = pipeline.profile.options.length;
  Json refusals = Json::array();
  const auto attempt = [&](const char* section, std::size_t index, const auto& make) {
    Context context(facts, [](const std::string&) {});
    try {
      make(context);
    } catch (const std::exception& error) {
      refusals.push_back({{"section", section}, {"index", index}, {"reason", error.what()}});
    }
  };
  bool needs_profile = true;
  bool learns = false;
  if (pipeline.predictor) {
    attempt("predictor", 0, [&](Context& context) {
      const auto made = registry.make<Predictor>(pipeline.predictor->plugin, pipeline.predictor->values, context, "");
      needs_profile = made->needs_profile();
      learns = made->is_trainable();
    });
  }
  config::visit_component_sections(pipeline, [&](Kind kind, const char* section, const auto& member) {
    if (kind == Kind::predictor) return;
    // A run does not make these for a predictor that reads no profile.
    if (!needs_profile && (kind == Kind::sampler || kind == Kind::autoencoder)) return;
    const auto specs = config::specs_of(member);
    for (std::size_t i = 0; i < specs.size(); ++i) {
      attempt(section, i,
              [&](Context& context) { registry.make(kind, specs[i]->plugin, specs[i]->values, context, ""); });
    }
  });
  return {{"needs_profile", needs_profile}, {"learns", learns}, {"refusals", refusals}};
}

}  // namespace

int components(const std::vector<std::string>& words) {
  const Arguments arguments(words);
  const auto texts = Json::parse(read_file(arguments.need_plain(0, "FILE"))).get<std::vector<std::string>>();
  std::map<std::vector<std::string>, const host::Registry*> registries;
  Json all = Json::array();
  for (const auto& text : texts) {
    const auto document = config::Document::from_text(text, "components.toml");
    auto& registry = registries[config::plugin_path_of(document)];
    if (registry == nullptr)
      registry = host::Registry::open(host::plugin_search_path({}, config::plugin_path_of(document)));
    all.push_back(
        try_components(config::resolve(document, registry->catalog(), config::Purpose::postprocess), *registry));
  }
  fmt::print("{}\n", all.dump(-1, ' ', false, Json::error_handler_t::replace));
  return 0;
}

}  // namespace nbs::worker
