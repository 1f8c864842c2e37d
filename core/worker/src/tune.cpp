// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/data/sets.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"
#include "nbs/record/same_plugins.h"
#include "nbs/tensor.h"

#include "arguments.h"
#include "commands.h"
#include "ended_run.h"
#include "images.h"
#include "labeled_maps.h"
#include "process_setup.h"
#include "tuning.h"

namespace nbs::worker {

int tune(const std::vector<std::string>& words) {
  const Arguments arguments(words, {"plugin", "plugin-path", "allow-changed-plugins"});
  const record::RunDirectory run(arguments.need_plain(0, "RUN"));
  const auto result = read_ended_run(run.folder());
  const auto log = say;
  Session session(run.resolved(), 0, log, config::Purpose::predict, arguments.lines("plugin-path"));
  set_up_process(session);
  const auto& pipeline = session.pipeline();
  auto chain = pipeline.postproc;
  auto compared = pipeline;
  if (!arguments.get("plugin", "").empty()) compared.postproc.clear();  // another is tried
  record::require_same_plugins(run.folder(), compared, arguments.get("allow-changed-plugins", "no") == "yes", log);
  if (const auto plugin = arguments.get("plugin", ""); !plugin.empty()) {
    const auto& catalog = session.registry().catalog();
    const auto* const description = catalog.find(Kind::postprocessor, plugin);
    if (description == nullptr) throw Error(host::unknown_plugin(catalog, Kind::postprocessor, plugin));
    config::ComponentSpec spec;
    spec.plugin = plugin;
    for (const auto& option : description->options)
      spec.values.emplace_back(option.name, option.default_value);
    chain = {spec};
  }
  if (chain.empty()) {
    throw Error(fmt::format("the run {} has no postprocessor to tune; name one with --plugin", run.folder().string()));
  }
  // Only the labeled images and their masks are opened.
  auto listing = data::list_samples(pipeline.data.options);
  auto split = data::draw_split(listing, pipeline.data.options);
  split.unlabeled.clear();
  listing.auxiliary.clear();
  auto set = data::load_training_set(listing, split, pipeline.data.options, {session.threads(), {}});
  const auto images = as_tensors(set);
  auto ensemble = session.make_ensemble(training::read_models(run.model(), *result.model));
  const training::WholeImages whole(images);
  const auto labeled = labeled_maps(ensemble, whole);
  const auto tuning = tune_postprocessors(session, chain, labeled, whole, log);
  fmt::print("# F1 on {} labeled images{}: {:.4f} before tuning, {:.4f} after\n", labeled.images.size(),
             labeled.honest ? "" : ", which the predictor was taught", tuning.before, tuning.after);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    chain[i].values = tuning.values[i];
    fmt::print("{}", config::component_toml("[[postproc]]", chain[i]));
  }
  return 0;
}

}  // namespace nbs::worker
