// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/data/sets.h"
#include "nbs/error.h"
#include "nbs/torch.h"
#include "nbs/training/inference.h"

#include "arguments.h"
#include "commands.h"
#include "images.h"
#include "result_file.h"
#include "scoring.h"
#include "tuning.h"

namespace nbs::worker {

int tune(const std::vector<std::string>& words) {
  const Arguments arguments(words, {"plugin"});
  const std::filesystem::path run_folder = arguments.need_plain(0, "RUN");
  const auto result = read_result(run_folder);
  const auto log = say;
  Session session(run_folder / "resolved.toml", 0, log);
  const auto& pipeline = session.pipeline();
  auto chain = pipeline.postproc;
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
    throw Error(fmt::format("the run {} has no postprocessor to tune; name one with --plugin", run_folder.string()));
  }
  // Only the labelled images and their masks are opened.
  const auto listing = data::list_samples(pipeline.data.options);
  const auto split = data::draw_split(listing, pipeline.data.options);
  auto set = data::load_training_set(listing, split, pipeline.data.options);
  const auto images = as_tensors(set);
  training::Inference inference(session.make_components(), pipeline.profile.options,
                                pipeline.evaluation.options.dihedral, images.size(),
                                training::read_model(run_folder / "model", result.model));
  const auto tuning =
      tune_postprocessors(session, chain, raw_probabilities(inference, images, 0, images.labelled), images, log);
  fmt::print("# F1 on the {} labelled images: {:.4f} before tuning, {:.4f} after\n", images.labelled, tuning.before,
             tuning.after);
  for (std::size_t i = 0; i < chain.size(); ++i)
    fmt::print("{}", config::component_toml("[[postproc]]", {chain[i].plugin, tuning.values[i], {}}));
  return 0;
}

}  // namespace nbs::worker
