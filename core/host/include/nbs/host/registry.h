// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nbs/host/catalog.h"
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

  /// Makes a component whose results are checked at every call: a wrong shape, a patch outside its image, a value that
  /// is not a number, or an exception becomes an nbs::Error that names plugin, method and `location` (of the pipeline
  /// file).
  std::shared_ptr<Sampler> make_sampler(const std::string& name, const OptionValues& values, Context& context,
                                        const std::string& location) const;
  std::shared_ptr<Autoencoder> make_autoencoder(const std::string& name, const OptionValues& values, Context& context,
                                                const std::string& location) const;
  std::shared_ptr<Predictor> make_predictor(const std::string& name, const OptionValues& values, Context& context,
                                            const std::string& location) const;
  std::shared_ptr<Postprocessor> make_postprocessor(const std::string& name, const OptionValues& values,
                                                    Context& context, const std::string& location) const;

 private:
  explicit Registry(const std::vector<std::filesystem::path>& folders);
  ~Registry() = default;

  std::shared_ptr<Component> make(Kind kind, const std::string& name, const OptionValues& values, Context& context,
                                  const std::string& location) const;

  Catalog catalog_;
  std::vector<Registration> registrations_;  // parallel to catalog_.plugins
};

}  // namespace nbs::host
