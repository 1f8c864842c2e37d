// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nbs/not_finite.h"
#include "nbs/tensor.h"

namespace nbs {

/// What a component keeps: named tensors in the order in which they were written. Nothing in it can be executed, and
/// nothing is read that was not asked for with its shape and type. Copies share the tensors, which nobody writes to.
/// Not for several threads at a time, as it notes what was read.
class State {
 public:
  /// Names and tensors, in the order in which they were written.
  using Tensors = std::vector<std::pair<std::string, torch::Tensor>>;

  /// Keeps a copy of `value` (any device, row by row, without gradient). Throws nbs::Error for a name that is taken or
  /// is no printable ASCII, and for a tensor that cannot be stored (undefined, sparse, quantized or complex),
  /// NotFiniteError for values that are not finite: a model with them is of no use.
  void write(const std::string& name, const torch::Tensor& value) {
    const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (name.empty() || !printable || name == "__metadata__")
      throw Error("a tensor was to be saved under a name that is not printable ASCII; choose another");
    if (places_.count(name) != 0) throw Error("two tensors were to be saved under the name \"" + name + "\"");
    if (!value.defined()) throw Error("the tensor \"" + name + "\" was to be saved, but it is not defined");
    if (value.layout() != torch::kStrided || !storable(value.scalar_type()))
      throw Error("the tensor \"" + name + "\" is " + type_text(value.scalar_type()) + ", which cannot be saved");
    auto copy = value.detach().to(torch::kCPU).clone(torch::MemoryFormat::Contiguous);
    if (!all_finite(copy)) throw NotFiniteError("the tensor \"" + name + "\" that was to be saved is not finite");
    places_[name] = tensors_.size();
    tensors_.emplace_back(name, std::move(copy));
    read_.push_back(false);
  }

  /// A single integer.
  void write_integer(const std::string& name, std::int64_t value) { write(name, torch::tensor(value)); }

  /// The tensor `name`, contiguous on the CPU; do not write to it. Throws nbs::Error if there is none, or if its shape
  /// or type is another.
  torch::Tensor read(const std::string& name, at::IntArrayRef shape, torch::ScalarType type) const {
    const auto& value = read_any_shape(name, type);
    if (value.sizes() != shape) {
      throw Error("the tensor \"" + name + "\" of " + origin_ + " has the shape " + shape_text(value.sizes()) +
                  ", but " + shape_text(shape) + " is wanted; " + advice());
    }
    return value;
  }

  /// The same for a tensor whose shape the reader cannot know.
  const torch::Tensor& read_any_shape(const std::string& name, torch::ScalarType type) const {
    const auto& value = read_as_stored(name);
    if (value.scalar_type() != type) {
      throw Error("the tensor \"" + name + "\" of " + origin_ + " is " + type_text(value.scalar_type()) + ", but " +
                  type_text(type) + " is wanted; " + advice());
    }
    return value;
  }

  /// The same for a tensor of any shape and type.
  const torch::Tensor& read_as_stored(const std::string& name) const {
    const auto at = places_.find(name);
    if (at == places_.end()) throw Error("the tensor \"" + name + "\" is not in " + origin_ + "; " + advice());
    read_[at->second] = true;
    return tensors_[at->second].second;
  }

  /// Whether a tensor of that name was written.
  bool has(const std::string& name) const { return places_.count(name) != 0; }

  /// Copies the tensor `name` into `live`, whose shape and type it must have.
  void read_into(const std::string& name, torch::Tensor live) const {
    torch::NoGradGuard no_grad;
    live.copy_(read(name, live.sizes(), live.scalar_type()));
  }

  /// An integer from `least` to `most`.
  std::int64_t read_integer(const std::string& name, std::int64_t least, std::int64_t most) const {
    const auto value = read(name, {}, torch::kInt64).item<std::int64_t>();
    if (value < least || value > most) {
      throw Error("\"" + name + "\" of " + origin_ + " is " + std::to_string(value) + ", but " + std::to_string(least) +
                  " to " + std::to_string(most) + " is possible; " + advice());
    }
    return value;
  }

  /// Throws nbs::Error if something was not read since the last call, as it belongs to another component. The host
  /// calls it after every load().
  void require_all_read() const {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (!read_[i]) {
        throw Error("the tensor \"" + tensors_[i].first + "\" of " + origin_ + " was not read by load(), so it is " +
                    "not of this component; " + advice());
      }
    }
    read_.assign(read_.size(), false);
  }

  /// All of them.
  const Tensors& tensors() const { return tensors_; }

  /// Where it came from, as errors say it: a file's name.
  void set_origin(std::string origin) { origin_ = std::move(origin); }
  /// What set_origin() was given.
  const std::string& origin() const { return origin_; }

  /// Whether no value is NaN or infinite.
  static bool all_finite(const torch::Tensor& value) {
    if (value.is_cpu() && value.scalar_type() == torch::kFloat32 && value.is_contiguous()) {
      // The exponent of NaN and infinity is all ones. Several times quicker than below on the small tensors of
      // networks, which are saved behind every iteration.
      constexpr std::uint32_t kExponent = 0x7f800000;
      const auto* const values = value.data_ptr<float>();
      bool found = false;
      for (std::int64_t i = 0; i < value.numel(); ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, values + i, sizeof bits);
        found |= (bits & kExponent) == kExponent;
      }
      return !found;
    }
    return !value.is_floating_point() || value.numel() == 0 || torch::isfinite(value).all().item<bool>();
  }

  /// Types that can be stored.
  static bool storable(torch::ScalarType type) {
    switch (type) {
      case torch::kFloat64:
      case torch::kFloat32:
      case torch::kFloat16:
      case torch::kBFloat16:
      case torch::kInt64:
      case torch::kInt32:
      case torch::kInt16:
      case torch::kInt8:
      case torch::kUInt8:
      case torch::kBool:
        return true;
      default:
        return false;
    }
  }

  /// "[2, 3]".
  static std::string shape_text(at::IntArrayRef shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
      text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
  }

 private:
  static std::string type_text(torch::ScalarType type) { return c10::toString(type); }
  static const char* advice() { return "it belongs to another pipeline or version, so run this one again"; }

  Tensors tensors_;
  std::map<std::string, std::size_t> places_;
  mutable std::vector<bool> read_;  // of each tensor
  std::string origin_ = "the saved state";
};

}  // namespace nbs
