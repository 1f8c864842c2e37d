// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "nbs/config/pipeline.h"
#include "nbs/record/run_result.h"

namespace nbs::launch {

/// Training iterations of a whole run.
std::int64_t iterations_of(const config::Pipeline& pipeline);

/// What finished runs tell of those to come: how much memory they take, and for how long.
class Experience {
 public:
  /// What a finished run of this pipeline took.
  void learn(const config::Pipeline& pipeline, const record::RunResult& result);
  /// A run of this pipeline has used so much memory up to now.
  void learn_memory(const config::Pipeline& pipeline, double mib);

  /// Peak memory of a run in MiB: the most of the runs that differ in nothing but seeds; else of those with the same
  /// name, such as other cells of a sweep; else what it surely needs, for which its options suffice.
  double memory_mib(const config::Pipeline& pipeline) const;
  /// Whether a run with the same name has shown it.
  bool knows_memory(const config::Pipeline& pipeline) const { return memory_by_name_.count(pipeline.name) != 0; }
  /// Seconds of an iteration: of the runs with the same name, else of all.
  std::optional<double> seconds_per_iteration(const config::Pipeline& pipeline) const;

 private:
  struct Time {
    double seconds = 0;
    double iterations = 0;
  };
  std::unordered_map<std::size_t, double> memory_by_options_;
  std::unordered_map<std::string, double> memory_by_name_;
  std::unordered_map<std::string, Time> time_by_name_;
  Time time_;
};

}  // namespace nbs::launch
