// SPDX-License-Identifier: Apache-2.0
#include "command_words.h"

#include <sstream>

namespace nbs::cli {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
}

std::vector<std::string> flags_of(const CLI::Option& option) {
  std::vector<std::string> flags;
  for (const auto& name : option.get_snames())
    flags.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    flags.push_back("--" + name);
  return flags;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  // The parser keeps them in the text that it shows for the type: "TEXT:{native,model}".
  const auto text = option.get_type_name();
  const auto from = text.find('{');
  const auto to = text.rfind('}');
  std::vector<std::string> choices;
  if (from == std::string::npos || to == std::string::npos) return choices;
  std::istringstream list(text.substr(from + 1, to - from - 1));
  for (std::string choice; std::getline(list, choice, ',');)
    choices.push_back(choice);
  return choices;
}

}  // namespace nbs::cli
