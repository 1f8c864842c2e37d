// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstring>

#include "nbs/base/hash.h"
#include "nbs/training/safetensors.h"

#include "target.h"

namespace nbs::fuzz {

namespace {

std::string valid_model() {
  State state;
  state.write_integer("cycles", 1);
  state.write("weight", torch::arange(24, torch::kFloat32).view({2, 3, 4}));
  state.write("mask", torch::tensor({1, 0, 1}, torch::kUInt8));
  state.write("baseline.0", torch::tensor({0.5, -2.0}, torch::kFloat64));
  return training::to_safetensors(state);
}

// The bytes with the checksum that they would have if they had been written so: what is wrong behind it is reached too.
std::string with_right_checksum(std::string bytes) {
  std::uint64_t header = 0;
  if (bytes.size() < sizeof header) return bytes;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::string key = "\"sha256\":\"";
  const auto at = bytes.find(key);
  if (header > bytes.size() - sizeof header || at == std::string::npos) return bytes;
  const auto right = sha256(bytes.substr(sizeof header + header));
  if (at + key.size() + right.size() <= sizeof header + header) bytes.replace(at + key.size(), right.size(), right);
  return bytes;
}

}  // namespace

Target model_target() {
  Target target;
  target.name = "model";
  target.seeds = {{"model.safetensors", valid_model()}};
  target.words = {"\"data_offsets\":[", "\"shape\":[",          "\"dtype\":\"F64\"",
                  "__metadata__",       "18446744073709551615", "-1"};
  target.read = [](const Seed& input, const std::filesystem::path&) {
    try {
      training::from_safetensors(with_right_checksum(input.bytes), input.name);
    } catch (const Error&) {
      // Refused for something else than its checksum.
    }
    training::from_safetensors(input.bytes, input.name);
  };
  return target;
}

std::vector<Target> targets() {
  return {model_target(), checkpoint_target()};
}

}  // namespace nbs::fuzz
