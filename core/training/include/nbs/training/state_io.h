// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "nbs/component.h"
#include "nbs/state.h"

namespace nbs::training {

/// Writes what a trainer holds into one State: numbers, and tensors of which many holders may keep the same one (a loss
/// map is in every profile of the T iterations that it was part of). Each of those is stored once.
class StateWriter {
 public:
  /// `state` must outlive the writer.
  explicit StateWriter(State& state) : state_(state) {}

  void integer(const std::string& name, std::int64_t value) { state_.write_integer(name, value); }
  void integers(const std::string& name, const std::vector<std::int64_t>& values) {
    state_.write(name, torch::tensor(values, torch::kInt64));
  }
  void number(const std::string& name, double value) { state_.write(name, torch::tensor(value, torch::kFloat64)); }
  void numbers(const std::string& name, const std::vector<double>& values) {
    state_.write(name, torch::tensor(values, torch::kFloat64));
  }
  void tensor(const std::string& name, const torch::Tensor& value) { state_.write(name, value); }
  void bytes(const std::string& name, const std::string& value);
  /// A list of tensors that others may hold too; nobody may write to them from now on.
  void shared(const std::string& name, const std::vector<torch::Tensor>& tensors);
  /// All tensors of `part`, under names that begin with `name`.
  void part(const std::string& name, const State& part);

 private:
  State& state_;
  std::unordered_map<const void*, std::int64_t> places_;  // of each shared tensor
};

/// Reads what a StateWriter wrote. Every call throws nbs::Error, a sentence, for what is not there or cannot be.
class StateReader {
 public:
  /// `state` must outlive the reader.
  explicit StateReader(const State& state) : state_(state) {}

  std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most) const {
    return state_.read_integer(name, least, most);
  }
  std::vector<std::int64_t> integers(const std::string& name) const;
  double number(const std::string& name) const { return state_.read(name, {}, torch::kFloat64).item<double>(); }
  std::vector<double> numbers(const std::string& name) const;
  torch::Tensor tensor(const std::string& name, at::IntArrayRef shape, torch::ScalarType type) const {
    return state_.read(name, shape, type);
  }
  std::string bytes(const std::string& name) const;
  std::vector<torch::Tensor> shared(const std::string& name) const;
  /// The same, and all of `shape` and float32.
  std::vector<torch::Tensor> shared(const std::string& name, at::IntArrayRef shape) const;
  bool has(const std::string& name) const { return state_.has(name); }
  State part(const std::string& name) const;
  /// Throws unless `fits`; `what` tells what does not.
  void require(bool fits, const std::string& what) const;

 private:
  const State& state_;
};

/// Lets `component` load what stands under names that begin with `name`, and returns it. Throws nbs::Error; the host
/// does so for what a component does not read.
State load_part(const StateReader& reader, Component& component, const std::string& name);

}  // namespace nbs::training
