// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "nbs/host/registry.h"
#include "nbs/host/search_path.h"

#include "commands.h"

namespace nbs::worker {

int describe(const std::vector<std::string>& arguments) {
  const std::vector<std::filesystem::path> folders(arguments.begin(), arguments.end());
  const auto* const registry = host::Registry::open(folders);
  // A text of some plugin or file that is no UTF-8 must not cost all the others.
  using Json = nlohmann::ordered_json;
  fmt::print("{}\n", host::to_json(registry->catalog()).dump(-1, ' ', false, Json::error_handler_t::replace));
  return 0;
}

int test_plugin(const std::vector<std::string>& arguments) {
  auto* const registry = host::Registry::open({});
  bool good = true;
  for (const auto& file : arguments) {
    const auto refusal = registry->load(std::filesystem::absolute(file));
    if (!refusal.empty()) {
      fmt::print(stderr, "refused: {}\n", refusal);
      good = false;
    }
  }
  for (const auto& warning : registry->catalog().warnings)
    fmt::print(stderr, "warning: {}\n", warning);
  for (const auto& plugin : registry->catalog().plugins) {
    fmt::print("loaded: {} \"{}\" ({} {}), {} options\n", kind_name(plugin.kind), plugin.name, plugin.library,
               plugin.version, plugin.options.size());
    for (const auto& option : plugin.options) {
      if (!option.doc.empty()) continue;
      fmt::print(stderr, "the option {} of {} has no doc; say in one sentence what it does\n", option.name,
                 plugin.name);
      good = false;
    }
  }
  return good ? 0 : 1;
}

}  // namespace nbs::worker
