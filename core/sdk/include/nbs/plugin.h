// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "nbs/abi.h"
#include "nbs/autoencoder.h"
#include "nbs/context.h"
#include "nbs/options.h"
#include "nbs/postprocessor.h"
#include "nbs/predictor.h"
#include "nbs/sampler.h"

// How a library says what it holds:
//
//   class Stripes : public nbs::Sampler {
//    public:
//     struct Options {
//       std::int64_t step = 8;
//       static void declare(nbs::Schema<Options>& s) {
//         s.add("step", &Options::step).range(1, 256).doc("Pixels between stripes.");
//       }
//     };
//     Stripes(const Options& options, nbs::Context& context);
//     nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override;
//   };
//   NBS_PLUGIN("stripes", "1.0.0") { registrar.add<Stripes>("stripes", "Patches along stripes"); }

namespace nbs {

namespace detail {

template <Kind kind>
struct InterfaceOf;
template <>
struct InterfaceOf<Kind::sampler> {
  using Type = Sampler;
};
template <>
struct InterfaceOf<Kind::autoencoder> {
  using Type = Autoencoder;
};
template <>
struct InterfaceOf<Kind::predictor> {
  using Type = Predictor;
};
template <>
struct InterfaceOf<Kind::postprocessor> {
  using Type = Postprocessor;
};

/// Whether `Plugin` has a public member called check.
template <typename Plugin, typename = void>
struct NamesCheck : std::false_type {};
template <typename Plugin>
struct NamesCheck<Plugin, std::void_t<decltype(&Plugin::check)>> : std::true_type {};

/// Whether that member is the one that nbs calls.
template <typename Plugin, typename = void>
struct HasCheck : std::false_type {};
template <typename Plugin>
struct HasCheck<Plugin, std::void_t<decltype(Plugin::check(std::declval<const typename Plugin::Options&>(),
                                                           std::declval<const Context::Facts&>()))>> : std::true_type {
};

}  // namespace detail

/// One component of a library, as the host keeps it.
struct Registration {
  Kind kind = Kind::sampler;        ///< of which its objects are
  std::string name;                 ///< in pipeline files
  std::string doc;                  ///< one line
  std::vector<OptionSpec> options;  ///< in declared order
  /// Refuses options that contradict each other or the run; empty if the plugin has no check(). Throws like `make`.
  std::function<void(const OptionValues&, const Context::Facts&)> check;
  /// Makes an object; throws nbs::Error for a bad option, and whatever the plugin throws.
  std::function<std::shared_ptr<Component>(const OptionValues&, Context&)> make;
};

/// Collects what a library holds.
class Registrar {
 public:
  /// Registers `Plugin`, a class derived from Sampler, Autoencoder, Predictor or Postprocessor that
  /// has a nested struct `Options` and a constructor (const Options&, Context&). `doc` is one line.
  ///
  /// It may have a public `static void check(const Options&, const Context::Facts&)`, which throws nbs::Error if
  /// options contradict each other or the sizes of the run. It is called before every construction, and so by `nbs
  /// check`.
  template <typename Plugin>
  void add(std::string name, std::string doc) {
    static_assert(std::is_base_of_v<Component, Plugin>, "a plugin derives from one of the kinds");
    static_assert(std::is_convertible_v<Plugin*, typename detail::InterfaceOf<Plugin::kKind>::Type*>,
                  "the kKind of a plugin is that of the kind that it derives from; leave it out");
    static_assert(detail::HasCheck<Plugin>::value || !detail::NamesCheck<Plugin>::value,
                  "the public check of a plugin is static void check(const Options&, const nbs::Context::Facts&)");
    Registration registration;
    registration.kind = Plugin::kKind;
    registration.name = std::move(name);
    registration.doc = std::move(doc);
    auto schema = schema_of<typename Plugin::Options>();
    registration.options = schema.specs();
    if constexpr (detail::HasCheck<Plugin>::value) {
      registration.check = [schema](const OptionValues& values, const Context::Facts& facts) {
        Plugin::check(schema.make(values), facts);
      };
    }
    registration.make = [schema](const OptionValues& values, Context& context) -> std::shared_ptr<Component> {
      return std::make_shared<Plugin>(schema.make(values), context);
    };
    registrations_.push_back(std::move(registration));
  }

  /// All that was added, in that order.
  const std::vector<Registration>& registrations() const { return registrations_; }

 private:
  std::vector<Registration> registrations_;
};

}  // namespace nbs

/// Defines the two symbols that the host looks for. Once in a library; the body registers its
/// components.
#define NBS_PLUGIN(name, version)                                                                          \
  extern "C" __attribute__((visibility("default"))) const ::nbs::AbiRecord nbs_plugin_abi;                 \
  const ::nbs::AbiRecord nbs_plugin_abi = ::nbs::make_abi_record(name, version);                           \
  extern "C" __attribute__((visibility("default"))) void nbs_plugin_register(::nbs::Registrar& registrar); \
  void nbs_plugin_register([[maybe_unused]] ::nbs::Registrar& registrar)
