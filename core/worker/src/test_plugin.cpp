// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/plugin_test/plugin_test.h"

#include "arguments.h"
#include "commands.h"

namespace nbs::worker {

int test_plugin(const std::vector<std::string>& words) {
  const Arguments arguments(words, {"level", "seconds", "memory", "calls", "json"});
  plugin_test::Settings settings;
  const auto number = [&](const char* name, std::int64_t usual, std::int64_t most) {
    return parse_integer(arguments.get(name, std::to_string(usual)), std::string("--") + name, 1, most);
  };
  settings.level = static_cast<int>(number("level", settings.level, plugin_test::kMostLevel));
  settings.seconds = static_cast<int>(number("seconds", settings.seconds, 3600));
  settings.memory_mib = number("memory", settings.memory_mib, 1 << 24);
  settings.calls = number("calls", settings.calls, 1 << 30);
  const bool json = arguments.get("json", "no") == "yes";
  // As soon as something is known: a check may take its minute.
  const auto told = [&](const auto& library, const auto* plugin, const auto* check) {
    if (json) return;
    put_now(check != nullptr    ? plugin_test::text(*check)
            : plugin != nullptr ? plugin_test::heading(library, *plugin)
                                : plugin_test::heading(library));
  };
  const auto reports =
      plugin_test::test_libraries({arguments.plain().begin(), arguments.plain().end()}, settings, told);
  using Json = nlohmann::ordered_json;
  put(json ? plugin_test::to_json(reports, settings).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
           : plugin_test::summary(reports));
  bool passed = true;
  for (const auto& library : reports)
    passed = passed && library.passed();
  return passed ? 0 : 1;
}

}  // namespace nbs::worker
