// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/config/pipeline.h"
#include "nbs/data/split.h"
#include "nbs/data/synthetic.h"
#include "nbs/error.h"
#include "nbs/host/registry.h"
#include "nbs/host/search_path.h"

#include "arguments.h"
#include "commands.h"
#include "remarks.h"

namespace nbs::worker {

int data(const std::vector<std::string>& words) {
  const Arguments arguments(words);
  const auto document = config::Document::from_file(arguments.need_plain(0, "RESOLVED"));
  const auto* const registry = host::Registry::open(host::plugin_search_path({}, config::plugin_path_of(document)));
  const auto pipeline = config::resolve(document, registry->catalog());
  const auto& options = pipeline.data.options;
  const std::string folder = arguments.get("export", "");
  if (!folder.empty()) {
    if (options.format != data::Format::synthetic) {
      throw Error(
          fmt::format("only generated images are exported, but data.format is \"{}\"; use a pipeline with "
                      "data.format = \"synthetic\"",
                      choice_name(options.format, data::formats())));
    }
    data::export_synthetic(folder, choice_value(arguments.get("layout", "folder"), data::formats()), options);
    fmt::print("{}\n", folder);
    return 0;
  }
  const auto listing = data::list_samples(options);
  const auto split = data::draw_split(listing, options);
  say_remarks(listing, split, options);
  fmt::print("{}", data::manifest(listing, split, options));
  return 0;
}

}  // namespace nbs::worker
