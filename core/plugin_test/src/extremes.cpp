// SPDX-License-Identifier: Apache-2.0
// Level 4: all defaults written out, which must change nothing, and every option at its smallest and its largest value,
// one at a time. A plugin may refuse a setting with a sentence, and need more time or memory than is there, but not
// break a promise or end the program.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "nbs/host/breach.h"
#include "nbs/not_finite.h"
#include "nbs/tensor.h"

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

Value number_for(const OptionSpec& option, double value) {
  switch (option.type) {
    case ValueType::integer:
      return static_cast<std::int64_t>(std::llround(value));
    case ValueType::integers: {
      const auto& defaults = std::get<std::vector<std::int64_t>>(option.default_value);
      return std::vector<std::int64_t>(std::max<std::size_t>(1, defaults.size()), std::llround(value));
    }
    case ValueType::reals: {
      const auto& defaults = std::get<std::vector<double>>(option.default_value);
      return std::vector<double>(std::max<std::size_t>(1, defaults.size()), value);
    }
    default:
      return value;
  }
}

struct Setting {
  std::string option;
  Value value;
};

std::vector<Setting> settings_of(const host::PluginDescription& plugin) {
  std::vector<Setting> settings;
  for (const auto& option : plugin.options) {
    if (option.type == ValueType::boolean) {
      settings.push_back({option.name, !std::get<bool>(option.default_value)});
    } else if (option.type == ValueType::text || option.type == ValueType::texts) {
      for (const auto& choice : option.choices) {
        if (option.type == ValueType::text) {
          settings.push_back({option.name, choice});
        } else {
          settings.push_back({option.name, std::vector<std::string>{choice}});
        }
      }
    } else {
      if (option.minimum) settings.push_back({option.name, number_for(option, *option.minimum)});
      if (option.maximum) settings.push_back({option.name, number_for(option, *option.maximum)});
    }
  }
  return settings;
}

void compare_defaults(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  const auto use = [&](const OptionValues& values) {
    torch::manual_seed(1);
    return Specimen::make(subject, facts, 2, values)->use(0);
  };
  const auto left_out = use({});
  notes.tried("work");
  // What cannot be repeated either is for level 5.
  if (same(left_out, use(defaults_of(subject.plugin))) || !same(left_out, use({}))) return;
  notes.fail(fmt::format("{} does something else when all options are set to their defaults than when none is set",
                         subject.label()),
             "let the constructor take every value from its Options alone");
}

}  // namespace

std::vector<std::string> extreme_settings(const Subject& subject) {
  std::vector<std::string> names = {"all defaults written out"};
  for (const auto& setting : settings_of(subject.plugin))
    names.push_back(fmt::format("{} = {}", setting.option, to_text(setting.value)));
  return names;
}

void check_extreme(const Subject& subject, std::size_t part, Notes& notes) {
  const auto facts = fitting_facts(subject);
  if (part == 0) return compare_defaults(subject, facts, notes);
  const auto setting = settings_of(subject.plugin).at(part - 1);
  const OptionValues values = {{setting.option, setting.value}};
  try {
    const auto specimen = Specimen::make(subject, facts, 2, values);
    for (std::int64_t round = 0; round < 2; ++round)
      specimen->use(round);
    notes.tried("work");
  } catch (const NotFiniteError&) {
    notes.tried("diverge");  // a step size of 10 may
  } catch (const host::Breach& breach) {
    notes.fail(fmt::format("with {} = {}: {}", setting.option, to_text(setting.value), breach.what()),
               "limit the option to what works, or refuse the value in check() with a sentence");
  } catch (const Error&) {
    notes.tried("are refused");
  }
}

}  // namespace nbs::plugin_test
