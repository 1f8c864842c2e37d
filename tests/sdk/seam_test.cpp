// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "nbs/plugin.h"

#include "torch_test.h"

// What plugins and host agree on in memory: sizes, places of members, places of functions in the tables of virtual
// ones. A plugin that was built before reads them as they were, so they stay as kept in seam-MAJOR.MINOR.txt for as
// long as the major number of the API does. See docs/compatibility.md.

namespace {

namespace fs = std::filesystem;

// The place of a virtual function in its table, as the C++ ABI of Linux encodes it in a pointer to member.
template <typename Function>
std::size_t slot(Function function) {
  std::size_t encoded = 0;
  static_assert(sizeof function == 2 * sizeof encoded);
  std::memcpy(&encoded, &function, sizeof encoded);
  REQUIRE(encoded % 2 == 1);  // otherwise it is not virtual
  return (encoded - 1) / sizeof(void*);
}

template <typename Struct, typename Member>
std::size_t place(const Struct& object, Member Struct::*member) {
  return static_cast<std::size_t>(reinterpret_cast<const char*>(&(object.*member)) -
                                  reinterpret_cast<const char*>(&object));
}

class Layout {
 public:
  template <typename Type>
  void size(const char* name) {
    type_ = name;
    text_ << name << ": " << sizeof(Type) << " bytes, aligned to " << alignof(Type) << '\n';
  }
  void at(const char* name, std::size_t offset) { text_ << type_ << '.' << name << " at " << offset << '\n'; }
  void function(const char* name, std::size_t number) {
    text_ << type_ << '.' << name << " is virtual " << number << '\n';
  }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::string type_;  // whose members are listed
};

#define NBS_SIZE(type) layout.size<nbs::type>(#type)
#define NBS_AT(object, member) layout.at(#member, place(object, &std::decay_t<decltype(object)>::member))
#define NBS_VIRTUAL(type, name) layout.function(#name, slot(&nbs::type::name))

void add_data(Layout& layout) {
  NBS_SIZE(AbiRecord);
  const nbs::AbiRecord record = nbs::make_abi_record("", "");
  NBS_AT(record, struct_size);
  NBS_AT(record, api_major);
  NBS_AT(record, api_minor);
  NBS_AT(record, cuda);
  NBS_AT(record, cpp_standard);
  NBS_AT(record, cxx11_abi);
  layout.at("libtorch", static_cast<std::size_t>(record.libtorch - record.magic));
  layout.at("compiler", static_cast<std::size_t>(record.compiler - record.magic));
  layout.at("build_type", static_cast<std::size_t>(record.build_type - record.magic));
  layout.at("plugin_name", static_cast<std::size_t>(record.plugin_name - record.magic));
  layout.at("plugin_version", static_cast<std::size_t>(record.plugin_version - record.magic));
  NBS_SIZE(OptionSpec);
  const nbs::OptionSpec spec;
  NBS_AT(spec, name);
  NBS_AT(spec, type);
  NBS_AT(spec, default_value);
  NBS_AT(spec, minimum);
  NBS_AT(spec, maximum);
  NBS_AT(spec, choices);
  NBS_AT(spec, tuning);
  NBS_AT(spec, path);
  NBS_AT(spec, former);
  NBS_AT(spec, doc);
  NBS_SIZE(Registration);
  const nbs::Registration registration;
  NBS_AT(registration, kind);
  NBS_AT(registration, name);
  NBS_AT(registration, doc);
  NBS_AT(registration, options);
  NBS_AT(registration, check);
  NBS_AT(registration, make);
  NBS_SIZE(Registrar);
  NBS_SIZE(Context::Facts);
  const nbs::Context::Facts facts;
  NBS_AT(facts, seed);
  NBS_AT(facts, image_size);
  NBS_AT(facts, patch_size);
  NBS_AT(facts, profile_length);
  NBS_AT(facts, training_steps);
  NBS_AT(facts, threads);
  NBS_AT(facts, device);
  NBS_AT(facts, precision);
  NBS_SIZE(Context);
  NBS_SIZE(State);
}

void add_sampling(Layout& layout) {
  NBS_SIZE(Patch);
  const nbs::Patch patch;
  NBS_AT(patch, image);
  NBS_AT(patch, y);
  NBS_AT(patch, x);
  NBS_SIZE(Rollout);
  const nbs::Rollout rollout;
  NBS_AT(rollout, patches);
  NBS_AT(rollout, memory);
  NBS_AT(rollout, alternatives);
  NBS_SIZE(RolloutRequest);
  const nbs::RolloutRequest request;
  NBS_AT(request, scene);
  NBS_AT(request, count);
  NBS_SIZE(RewardedRollout);
  const nbs::RewardedRollout rewarded;
  NBS_AT(rewarded, rollout);
  NBS_AT(rewarded, rewards);
  NBS_AT(rewarded, index);
  NBS_AT(rewarded, alternatives);
  NBS_SIZE(Scene);
  NBS_VIRTUAL(Scene, image_count);
  NBS_VIRTUAL(Scene, image_size);
  NBS_VIRTUAL(Scene, patch_size);
  NBS_VIRTUAL(Scene, labeled);
  NBS_VIRTUAL(Scene, image_id);
  NBS_VIRTUAL(Scene, image);
  NBS_VIRTUAL(Scene, mask);
  NBS_VIRTUAL(Scene, loss);
  NBS_SIZE(PredictorInput);
  const nbs::PredictorInput input;
  NBS_AT(input, profile);
  NBS_AT(input, image);
}

void add_kinds(Layout& layout) {
  NBS_SIZE(Sampler);
  NBS_VIRTUAL(Sampler, save);
  NBS_VIRTUAL(Sampler, load);
  NBS_VIRTUAL(Sampler, begin_cycle);
  NBS_VIRTUAL(Sampler, sample);
  NBS_VIRTUAL(Sampler, sample_all);
  NBS_VIRTUAL(Sampler, is_trainable);
  NBS_VIRTUAL(Sampler, train_step);
  NBS_SIZE(Autoencoder);
  NBS_VIRTUAL(Autoencoder, save);
  NBS_VIRTUAL(Autoencoder, load);
  NBS_VIRTUAL(Autoencoder, reset);
  NBS_VIRTUAL(Autoencoder, train_step);
  NBS_VIRTUAL(Autoencoder, pixel_loss);
  NBS_VIRTUAL(Autoencoder, concurrent_losses);
  NBS_VIRTUAL(Autoencoder, state);
  NBS_SIZE(Predictor);
  NBS_VIRTUAL(Predictor, save);
  NBS_VIRTUAL(Predictor, load);
  NBS_VIRTUAL(Predictor, needs_profile);
  NBS_VIRTUAL(Predictor, needs_image);
  NBS_VIRTUAL(Predictor, is_trainable);
  NBS_VIRTUAL(Predictor, train_step);
  NBS_VIRTUAL(Predictor, logits);
  NBS_SIZE(Postprocessor);
  NBS_VIRTUAL(Postprocessor, save);
  NBS_VIRTUAL(Postprocessor, load);
  NBS_VIRTUAL(Postprocessor, apply);
}

std::string kept(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

fs::path file_of(std::uint32_t minor) {
  return fs::path(NBS_SOURCE_DIR) / "tests" / "sdk" /
         ("seam-" + std::to_string(nbs::kApiMajor) + "." + std::to_string(minor) + ".txt");
}

}  // namespace

TEST_CASE("the layout that plugins were built with has not changed without a new version of the API") {
#ifndef __x86_64__
  MESSAGE("skipped: what is kept is the layout on x86-64");
#else
  Layout layout;
  add_data(layout);
  add_sampling(layout);
  add_kinds(layout);
  const auto now = layout.text();
  const auto advice =
      "If the change is wanted, raise the version in core/sdk/include/nbs/api_version.h as "
      "docs/compatibility.md says, and keep this as " +
      file_of(nbs::kApiMinor).string() + ":\n" + now;
  INFO(advice);
  CHECK((now == kept(file_of(nbs::kApiMinor))));
  // A minor version only adds, so all that an earlier one of the same major had is still there.
  for (std::uint32_t minor = 0; minor < nbs::kApiMinor; ++minor) {
    std::istringstream lines(kept(file_of(minor)));
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK(now.find(line + "\n") != std::string::npos);
    }
  }
#endif
}
