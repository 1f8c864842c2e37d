// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/registration_check.h"

#include <fmt/format.h>

namespace nbs::host {

std::optional<std::string> refuse_registrations(const std::vector<Registration>& registrations) {
  if (registrations.empty()) return "it registers no plugin; call registrar.add in its NBS_PLUGIN body";
  for (std::size_t i = 0; i < registrations.size(); ++i) {
    const auto& one = registrations[i];
    const auto label = fmt::format("the {} \"{}\"", kind_name(one.kind), one.name);
    if (one.name == "none" || !is_bare_key(one.name)) {
      return fmt::format(
          "it holds {}, but pipelines cannot choose that name; give it another, of letters, digits, _ and -", label);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (registrations[j].kind == one.kind && registrations[j].name == one.name)
        return fmt::format("it holds {} twice; rename or remove one of them", label);
    }
    for (const auto& option : one.options) {
      if (option.name == "plugin" || option.name == "library") {
        return fmt::format(
            "{} has an option \"{}\", which pipelines cannot set, as that word chooses the plugin; "
            "rename it",
            label, option.name);
      }
      if (const auto problem = problem_with_declaration(option))
        return fmt::format("{} has an option \"{}\" that no pipeline could use: it {}", label, option.name, *problem);
      if (const auto problem = problem_with(option, option.default_value)) {
        return fmt::format(
            "{} has an option \"{}\" whose default is not allowed: it {}; change the default or the range", label,
            option.name, *problem);
      }
    }
  }
  return std::nullopt;
}

}  // namespace nbs::host
