// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nbs/host/catalog.h"
#include "nbs/host/checked.h"
#include "nbs/plugin.h"

namespace nbs::host {

/// Finds, checks and keeps plugins. Libraries are never unloaded and a registry is never destroyed: tensors, deleters
/// and exceptions of a plugin outlive its last call.
class Registry {
 public:
  /// Loads every library (`*.so`) in the folders, in order; the first of two plugins with one name stays. The registry
  /// lives until the program ends.
  static Registry* open(const std::vector<std::filesystem::path>& folders);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Loads one more library. Returns why it was refused, or "".
  std::string load(const std::filesystem::path& file);

  const Catalog& catalog() const { return catalog_; }

  /// Makes a component of the kind `Interface` (Sampler, Autoencoder, …) whose results are checked at every call: a
  /// wrong shape, a patch outside its image, a value that is not a number, or an exception becomes an nbs::Error that
  /// names plugin, method and `location` (of the pipeline file).
  template <typename Interface>
  std::shared_ptr<Interface> make(const std::string& name, const OptionValues& values, Context& context,
                                  const std::string& location) const {
    // The kind was taken from the base class when the plugin was registered, so the cast cannot go wrong.
    return checked(std::static_pointer_cast<Interface>(make(Interface::kKind, name, values, context, location)),
                   origin_of(Interface::kKind, name, location));
  }

  /// The same for a kind that is known only at run time. Only the construction is checked, so this is for trying
  /// whether it works.
  std::shared_ptr<Component> make(Kind kind, const std::string& name, const OptionValues& values, Context& context,
                                  const std::string& location) const;

 private:
  explicit Registry(const std::vector<std::filesystem::path>& folders);
  ~Registry() = default;

  static Origin origin_of(Kind kind, const std::string& name, const std::string& location);

  Catalog catalog_;
  std::vector<Registration> registrations_;  // parallel to catalog_.plugins
};

}  // namespace nbs::host
