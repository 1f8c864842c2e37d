// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/registry.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/hash.h"
#include "nbs/host/checked.h"
#include "nbs/host/search_path.h"

#include "guard.h"
#include "keep.h"
#include "library.h"

namespace nbs::host {

namespace {

bool anyone_may_write(const std::filesystem::path& path) {
  std::error_code failed;
  const auto permissions = std::filesystem::status(path, failed).permissions();
  return !failed && (permissions & std::filesystem::perms::others_write) != std::filesystem::perms::none;
}

std::string writable_warning(const std::filesystem::path& path) {
  return fmt::format(
      "anyone may write to {}, so that anyone can put code there that nbs runs as you; "
      "chmod o-w it",
      path.string());
}

}  // namespace

Registry::Registry(const std::vector<std::filesystem::path>& folders) {
  for (const auto& folder : folders) {
    catalog_.searched.push_back(folder.string());
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    if (!files.empty() && anyone_may_write(folder)) catalog_.warnings.push_back(writable_warning(folder));
    for (const auto& file : files) {
      if (anyone_may_write(file)) catalog_.warnings.push_back(writable_warning(file));
      load(file);
    }
  }
}

Registry* Registry::open(const std::vector<std::filesystem::path>& folders) {
  return &keep(new Registry(folders));
}

std::string Registry::load(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& reason) {
    catalog_.refusals.push_back({file.string(), fmt::format("{}: {}", file.string(), reason)});
    return catalog_.refusals.back().reason;
  };
  Library library;
  try {
    library = load_library(file);
  } catch (const Error& error) {
    return refuse(error.what());
  }
  for (const auto& registration : library.registrations) {
    if (const auto* taken = catalog_.find(registration.kind, registration.name)) {
      return refuse(
          fmt::format("it holds the {} \"{}\", but {} holds one of that name too; rename or remove one of them",
                      kind_name(registration.kind), registration.name, taken->file));
    }
  }
  for (const auto& warning : library.warnings)
    catalog_.warnings.push_back(fmt::format("{}: {}", file.string(), warning));
  const std::string hash = file_sha256(file);
  for (auto& registration : library.registrations) {
    PluginDescription description;
    description.kind = registration.kind;
    description.name = registration.name;
    description.doc = registration.doc;
    description.options = registration.options;
    description.file = file.string();
    description.library = library.name;
    description.version = library.version;
    description.hash = hash;
    catalog_.plugins.push_back(std::move(description));
    registrations_.push_back(std::move(registration));
  }
  return "";
}

std::shared_ptr<Component> Registry::make(Kind kind, const std::string& name, const OptionValues& values,
                                          Context& context, const std::string& location) const {
  for (const auto& registration : registrations_) {
    if (registration.kind != kind || registration.name != name) continue;
    const Origin origin{fmt::format("{} \"{}\"", kind_name(kind), name), location};
    auto component = guard(origin, "construction", [&] { return registration.make(values, context); });
    if (!component) fail(origin, "construction", "made no object");
    return component;
  }
  throw Error((location.empty() ? "" : location + ": ") + unknown_plugin(catalog_, kind, name));
}

namespace {

template <typename Interface>
std::shared_ptr<Interface> as(const std::shared_ptr<Component>& component, const std::string& name,
                              const std::string& location) {
  // The kind was taken from the base class when the plugin was registered, so the cast cannot go wrong.
  return checked(std::static_pointer_cast<Interface>(component),
                 Origin{fmt::format("{} \"{}\"", kind_name(Interface::kKind), name), location});
}

}  // namespace

std::shared_ptr<Sampler> Registry::make_sampler(const std::string& name, const OptionValues& values, Context& context,
                                                const std::string& location) const {
  return as<Sampler>(make(Kind::sampler, name, values, context, location), name, location);
}
std::shared_ptr<Autoencoder> Registry::make_autoencoder(const std::string& name, const OptionValues& values,
                                                        Context& context, const std::string& location) const {
  return as<Autoencoder>(make(Kind::autoencoder, name, values, context, location), name, location);
}
std::shared_ptr<Predictor> Registry::make_predictor(const std::string& name, const OptionValues& values,
                                                    Context& context, const std::string& location) const {
  return as<Predictor>(make(Kind::predictor, name, values, context, location), name, location);
}
std::shared_ptr<Postprocessor> Registry::make_postprocessor(const std::string& name, const OptionValues& values,
                                                            Context& context, const std::string& location) const {
  return as<Postprocessor>(make(Kind::postprocessor, name, values, context, location), name, location);
}

}  // namespace nbs::host
