// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/state_io.h"

#include <cstring>

#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs::training {

namespace {

std::string shared_name(std::int64_t place) {
  return fmt::format("shared.{}", place);
}

template <typename T>
std::vector<T> values_of(const torch::Tensor& list) {
  return {list.data_ptr<T>(), list.data_ptr<T>() + list.numel()};
}

}  // namespace

void StateWriter::shared(const std::string& name, const std::vector<torch::Tensor>& tensors) {
  std::vector<std::int64_t> list;
  for (const auto& tensor : tensors) {
    const auto next = static_cast<std::int64_t>(places_.size());
    const auto [at, is_new] = places_.try_emplace(tensor.unsafeGetTensorImpl(), next);
    if (is_new) state_.write(shared_name(next), tensor);
    list.push_back(at->second);
  }
  integers(name, list);
}

void StateWriter::bytes(const std::string& name, const std::string& value) {
  auto bytes = torch::empty({static_cast<std::int64_t>(value.size())}, torch::kUInt8);
  if (!value.empty()) std::memcpy(bytes.data_ptr(), value.data(), value.size());
  state_.write(name, bytes);
}

void StateWriter::part(const std::string& name, const State& part) {
  for (const auto& [key, value] : part.tensors())
    state_.write(fmt::format("{}.{}", name, key), value);
}

std::vector<std::int64_t> StateReader::integers(const std::string& name) const {
  return values_of<std::int64_t>(state_.read_any_shape(name, torch::kInt64));
}

std::string StateReader::bytes(const std::string& name) const {
  const auto bytes = state_.read_any_shape(name, torch::kUInt8);
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

std::vector<double> StateReader::numbers(const std::string& name) const {
  return values_of<double>(state_.read_any_shape(name, torch::kFloat64));
}

std::vector<torch::Tensor> StateReader::shared(const std::string& name) const {
  std::vector<torch::Tensor> tensors;
  for (const auto place : integers(name))
    tensors.push_back(state_.read_as_stored(shared_name(place)));
  return tensors;
}

std::vector<torch::Tensor> StateReader::shared(const std::string& name, at::IntArrayRef shape) const {
  std::vector<torch::Tensor> tensors;
  for (const auto place : integers(name))
    tensors.push_back(state_.read(shared_name(place), shape, torch::kFloat32));
  return tensors;
}

State StateReader::part(const std::string& name) const {
  State part;
  part.set_origin(state_.origin());
  const std::string prefix = name + ".";
  for (const auto& [key, value] : state_.tensors()) {
    if (key.rfind(prefix, 0) != 0) continue;
    part.write(key.substr(prefix.size()), state_.read_as_stored(key));
  }
  return part;
}

void StateReader::require(bool fits, const std::string& what) const {
  if (!fits) throw Error(fmt::format("{} of {}; it belongs to another pipeline or version", what, state_.origin()));
}

State load_part(const StateReader& reader, Component& component, const std::string& name) {
  auto part = reader.part(name);
  component.load(part);  // the host has made it, and refuses what it does not read
  return part;
}

}  // namespace nbs::training
