// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "nbs/torch_compat.h"

namespace nbs {

/// What the host gives to every component when it makes it. A component may keep the reference: the
/// context outlives it.
class Context {
 public:
  /// What it is told of the run. The generator is made from `seed`.
  struct Facts {
    std::uint64_t seed = 0;              ///< of this component alone, derived from the run's seed
    std::int64_t image_size = 0;         ///< S: images are S x S pixels
    std::int64_t patch_size = 0;         ///< p: autoencoder patches are p x p pixels
    std::int64_t profile_length = 0;     ///< T: loss maps in a profile
    std::int64_t training_steps = 0;     ///< calls of train_step() that are planned for it; 0: not known, or none
    std::int64_t threads = 1;            ///< threads that the component may use for its own loops
    torch::Device device = torch::kCPU;  ///< on which networks lie; what crosses the interfaces is on the CPU
    /// Numbers in which networks compute while they learn, kFloat32 or kBFloat16. Parameters, losses, what crosses the
    /// interfaces and what is computed without learning are float32 in either case.
    torch::ScalarType precision = torch::kFloat32;
  };

  /// `log` is called with each line; the host has one for every component.
  Context(Facts facts, std::function<void(const std::string&)> log)
      : facts_(facts), generator_(make_generator(facts.seed)), log_(std::move(log)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// The same for as long as the component lives.
  const Facts& facts() const { return facts_; }
  /// That of facts().
  torch::Device device() const { return facts_.device; }

  /// The component's own random source: everything random must come from it. CPU; its state is part
  /// of a checkpoint.
  at::Generator& generator() { return generator_; }

  /// One line for the run's log. `line` has no newline.
  void log(const std::string& line) const { log_(line); }

 private:
  Facts facts_;
  at::Generator generator_;
  std::function<void(const std::string&)> log_;
};

}  // namespace nbs
