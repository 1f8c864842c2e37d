// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nbs/context.h"
#include "nbs/host/registry.h"
#include "nbs/plugin_test/plugin_test.h"

namespace nbs::plugin_test {

/// A plugin that is tried, and with what.
struct Subject {
  const host::Registry* registry = nullptr;
  host::PluginDescription plugin;
  Settings settings;

  /// As messages name it: sampler "x".
  std::string label() const;
};

/// Sizes of images, patches and profiles that the plugin takes with its defaults: the smallest of a few. Throws what
/// the plugin says of the first if it takes none.
Context::Facts fitting_facts(const Subject& subject);

/// All options at their defaults, as a pipeline would set them.
OptionValues defaults_of(const host::PluginDescription& plugin);

}  // namespace nbs::plugin_test
