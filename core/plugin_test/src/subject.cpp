// SPDX-License-Identifier: Apache-2.0
#include "subject.h"

#include <utility>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs::plugin_test {

std::string Subject::label() const {
  return fmt::format("{} \"{}\"", kind_name(plugin.kind), plugin.name);
}

Context::Facts fitting_facts(const Subject& subject) {
  // Small ones first, as they cost the least.
  static constexpr std::pair<std::int64_t, std::int64_t> kSizes[] = {
      {64, 16}, {64, 32}, {64, 64}, {128, 128}, {256, 256}};
  std::string first;
  for (const auto& [image, patch] : kSizes) {
    Context::Facts facts;
    facts.image_size = image;
    facts.patch_size = patch;
    facts.profile_length = 3;
    facts.training_steps = 8;
    Context context(facts, [](const std::string&) {});
    try {
      subject.registry->make(subject.plugin.kind, subject.plugin.name, {}, context, "", subject.plugin.file);
      return facts;
    } catch (const Error& error) {
      if (first.empty()) first = error.what();
    }
  }
  throw Error(first);
}

OptionValues defaults_of(const host::PluginDescription& plugin) {
  OptionValues values;
  for (const auto& option : plugin.options)
    values.emplace_back(option.name, option.default_value);
  return values;
}

}  // namespace nbs::plugin_test
