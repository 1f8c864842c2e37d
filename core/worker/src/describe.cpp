// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/host/registry.h"
#include "nbs/host/search_path.h"

#include "commands.h"

namespace nbs::worker {

int describe(const std::vector<std::string>& arguments) {
  const std::vector<std::filesystem::path> folders(arguments.begin(), arguments.end());
  const auto* const registry = host::Registry::open(folders);
  // Names of files may be any bytes, but JSON is UTF-8: bytes that are not become U+FFFD.
  using Json = nlohmann::ordered_json;
  put(host::to_json(registry->catalog()).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  return 0;
}

}  // namespace nbs::worker
