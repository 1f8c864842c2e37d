// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/host/registry.h"
#include "nbs/host/search_path.h"
#include "nbs/run/json_text.h"

#include "commands.h"

namespace nbs::worker {

int describe(const std::vector<std::string>& arguments) {
  const std::vector<std::filesystem::path> folders(arguments.begin(), arguments.end());
  const auto* const registry = host::Registry::open(folders);
  put(run::json_text(host::to_json(registry->catalog()), -1) + "\n");
  return 0;
}

int test_plugin(const std::vector<std::string>& arguments) {
  auto* const registry = host::Registry::open({});
  bool good = true;
  for (const auto& file : arguments) {
    const auto refusal = registry->load(std::filesystem::absolute(file));
    if (!refusal.empty()) {
      say(fmt::format("refused: {}", refusal));
      good = false;
    }
  }
  for (const auto& warning : registry->catalog().warnings)
    say(fmt::format("warning: {}", warning));
  for (const auto& plugin : registry->catalog().plugins) {
    put_now(fmt::format("loaded: {} \"{}\" ({} {}), {} options\n", kind_name(plugin.kind), plugin.name, plugin.library,
                        plugin.version, plugin.options.size()));
    for (const auto& option : plugin.options) {
      if (!option.doc.empty()) continue;
      say(fmt::format("the option {} of {} has no doc; say in one sentence what it does", option.name, plugin.name));
      good = false;
    }
  }
  return good ? 0 : 1;
}

}  // namespace nbs::worker
