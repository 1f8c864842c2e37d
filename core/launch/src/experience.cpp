// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/experience.h"

#include <algorithm>
#include <functional>
#include <variant>

namespace nbs::launch {

namespace {

// A worker with LibTorch and plugins that has no data yet.
constexpr double kEmptyWorkerMib = 250;

/// The same for pipelines that differ in nothing but their seeds. Not made of their texts, as thousands are compared.
class OptionHash {
 public:
  explicit OptionHash(const config::Pipeline& pipeline) {
    add(pipeline.name);
    config::visit_sections(pipeline, [this](const char* name, const auto& section) { add(name, section.values); });
    config::visit_components(pipeline, [this](nbs::Kind, const std::string& header, const config::ComponentSpec& spec) {
      add(header + spec.plugin, spec.values);
    });
  }
  std::size_t value() const { return hash_; }

 private:
  template <typename T>
  void add(const T& one) {
    constexpr std::size_t kOdd = 0x9e3779b97f4a7c15U;
    hash_ = (hash_ ^ std::hash<T>()(one)) * kOdd;
    hash_ ^= hash_ >> 32U;
  }
  template <typename T>
  void add(const std::vector<T>& list) {
    for (const auto& one : list)
      add(one);
  }
  void add(const std::string& section, const OptionValues& values) {
    add(section);
    for (const auto& [name, value] : values) {
      if (section == "data" && name == "split_seed") continue;
      add(name);
      std::visit([this](const auto& held) { add(held); }, value);
    }
  }

  std::size_t hash_ = 0;
};

void raise(double& most, double mib) {
  most = std::max(most, mib);
}

}  // namespace

std::int64_t iterations_of(const config::Pipeline& pipeline) {
  return pipeline.train.options.run_iterations();
}

void Experience::learn(const config::Pipeline& pipeline, const record::RunResult& result) {
  if (!result.model_from.empty()) return;  // a run that trains takes longer, and more memory
  if (result.peak_memory_mib) learn_memory(pipeline, *result.peak_memory_mib);
  if (!result.seconds || !result.seconds->total || result.iterations <= 0) return;
  for (Time* const time : {&time_by_name_[pipeline.name], &time_}) {
    time->seconds += *result.seconds->total;
    time->iterations += static_cast<double>(result.iterations);
  }
}

void Experience::learn_memory(const config::Pipeline& pipeline, double mib) {
  raise(memory_by_options_[OptionHash(pipeline).value()], mib);
  raise(memory_by_name_[pipeline.name], mib);
}

double Experience::memory_mib(const config::Pipeline& pipeline) const {
  constexpr double kMiB = 1024.0 * 1024;
  const auto same = memory_by_options_.find(OptionHash(pipeline).value());
  if (same != memory_by_options_.end()) return same->second;
  const auto named = memory_by_name_.find(pipeline.name);
  if (named != memory_by_name_.end()) return named->second;
  return kEmptyWorkerMib + config::least_memory(pipeline) / kMiB;
}

std::optional<double> Experience::seconds_per_iteration(const config::Pipeline& pipeline) const {
  const auto named = time_by_name_.find(pipeline.name);
  const Time& time = named != time_by_name_.end() ? named->second : time_;
  if (time.iterations <= 0 || time.seconds <= 0) return std::nullopt;
  return time.seconds / time.iterations;
}

}  // namespace nbs::launch
