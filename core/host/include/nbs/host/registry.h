// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nbs/host/catalog.h"
#include "nbs/host/checked.h"
#include "nbs/plugin.h"

namespace nbs::host {

/// Finds, checks and keeps plugins. Libraries are never unloaded and a registry is never destroyed: tensors, deleters
/// and exceptions of a plugin outlive its last call.
class Registry {
 public:
  /// Finds out what every library (`*.so`) in the folders holds, in order, each in a process of its own: one that
  /// crashes, hangs or ends the program is refused, and costs nothing else. The registry lives until the program ends.
  /// Call it before this process starts threads.
  static Registry* open(const std::vector<std::filesystem::path>& folders);
  /// The same with libraries that were chosen before, in this process: for a program of somebody else, which has
  /// threads and is not ours to copy (fork). A library that crashes ends it. `known`: the folders in which they were
  /// found, and what was refused there.
  static Registry* open_here(const std::vector<std::filesystem::path>& files, Catalog known);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Looks at one more library. Returns why it was refused, or "".
  std::string load(const std::filesystem::path& file);

  const Catalog& catalog() const { return catalog_; }

  /// Loads the library of a plugin, unless that was done before, and makes a component of the kind `Interface`
  /// (Sampler, Autoencoder, …) whose results are checked at every call: a wrong shape, a patch outside its image, a
  /// value that is not a number, or an exception becomes an nbs::Error that names plugin, method and `location` (of the
  /// pipeline file). `library`: see Catalog::find().
  template <typename Interface>
  std::shared_ptr<Interface> make(const std::string& name, const OptionValues& values, Context& context,
                                  const std::string& location, const std::string& library = "") const {
    auto made = std::static_pointer_cast<Interface>(make(Interface::kKind, name, values, context, location, library));
    return checked(std::move(made), origin_of(Interface::kKind, name, location));
  }

  /// The same for a kind that is known only at run time. Only the construction is checked, and that the object is of
  /// this kind, so this is for trying whether it works.
  std::shared_ptr<Component> make(Kind kind, const std::string& name, const OptionValues& values, Context& context,
                                  const std::string& location, const std::string& library = "") const;

 private:
  explicit Registry(const std::vector<std::filesystem::path>& folders);
  explicit Registry(Catalog known) : catalog_(std::move(known)) {}
  ~Registry() = default;

  std::string take(const std::filesystem::path& file, Catalog described);

  static Origin origin_of(Kind kind, const std::string& name, const std::string& location);
  const std::vector<Registration>& loaded(const PluginDescription& plugin) const;

  Catalog catalog_;
  mutable std::map<std::string, std::vector<Registration>> loaded_;  // by file
};

}  // namespace nbs::host
