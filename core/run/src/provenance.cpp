// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/provenance.h"

#include <ctime>
#include <fstream>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "nbs_revision.h"

namespace nbs::run {

namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

std::string version_text() {
  return fmt::format("{} ({})", NBS_VERSION, *NBS_REVISION ? NBS_REVISION : "no revision known");
}

nlohmann::ordered_json provenance(const config::Pipeline& pipeline, const host::Catalog& catalog,
                                  const std::string& libtorch, std::int64_t threads) {
  nlohmann::ordered_json json;
  json["nbs"] = NBS_VERSION;
  json["revision"] = NBS_REVISION;
  json["libtorch"] = libtorch;
  json["compiler"] = __VERSION__;
  json["processor"] = processor();
  json["threads"] = threads;
  json["device"] = choice_name(pipeline.train.options.device, config::devices());
  json["started"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  auto& plugins = json["plugins"] = nlohmann::ordered_json::array();
  const auto add = [&](Kind kind, const config::ComponentSpec& spec) {
    const auto* const plugin = catalog.find(kind, spec.plugin);
    if (plugin == nullptr) return;
    plugins.push_back({{"kind", kind_name(kind)},
                       {"name", plugin->name},
                       {"version", plugin->version},
                       {"file", std::filesystem::path(plugin->file).filename().string()},
                       {"sha256", plugin->hash}});
  };
  if (pipeline.sampler) add(Kind::sampler, *pipeline.sampler);
  if (pipeline.autoencoder) add(Kind::autoencoder, *pipeline.autoencoder);
  if (pipeline.predictor) add(Kind::predictor, *pipeline.predictor);
  for (const auto& spec : pipeline.postproc)
    add(Kind::postprocessor, spec);
  return json;
}

}  // namespace nbs::run
