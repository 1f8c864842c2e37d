// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/config/pipeline.h"
#include "nbs/host/catalog.h"

#include "commands.h"
#include "option_text.h"

namespace nbs::cli {

void add_options(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("options", "The host's own sections of a pipeline file, with all options");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "As JSON, for scripts");
  command->callback([json, &action] {
    action = [json] {
      nlohmann::ordered_json all;
      for (const auto& [section, specs] : config::section_specs()) {
        if (*json) {
          auto& list = all[section] = nlohmann::ordered_json::array();
          for (const auto& spec : specs)
            list.push_back(host::to_json(spec));
        } else {
          fmt::print("[{}]\n", section);
          print_options(specs);
        }
      }
      if (*json) print_json(all);
      return static_cast<int>(kGood);
    };
  });
}

}  // namespace nbs::cli
