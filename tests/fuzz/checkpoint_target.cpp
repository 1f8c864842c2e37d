// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/tensor.h"
#include "nbs/training/safetensors.h"
#include "nbs/training/state_io.h"

#include "run_checkpoint.h"
#include "target.h"

namespace nbs::fuzz {

namespace {

// As RunCheckpoint reads it: a line, a line with the SHA-256 of the header, header and numbers.
constexpr const char* kFirst = "nbs checkpoint 1\n";
constexpr std::size_t kHash = 64;

std::string valid_checkpoint() {
  State state;
  training::StateWriter writer(state);
  writer.bytes("run.version", "nbs 0.1.0, LibTorch 1.13.0");
  writer.bytes("run.pipeline", std::string(kHash, 'a'));
  writer.bytes("run.images", std::string(kHash, 'b'));
  writer.integer("run.threads", 2);
  writer.integer("run.metrics", 123);
  writer.number("run.seconds", 1.5);
  writer.number("run.total_seconds", 2.5);
  writer.integers("trainer.order", {3, 1, 2});
  writer.tensor("trainer.weight", torch::arange(24, torch::kFloat32).view({2, 3, 4}));
  return kFirst + sha256(training::safetensors_header(state)) + "\n" + training::to_safetensors(state);
}

// The bytes with the checksums that they would have if they had been written so, so that what is behind those checks is
// reached too.
std::string with_right_checksums(const std::string& bytes) {
  const auto begin = std::strlen(kFirst) + kHash + 1;
  std::uint64_t header = 0;
  if (bytes.size() < begin + sizeof header) return bytes;
  auto file = bytes.substr(begin);
  std::memcpy(&header, file.data(), sizeof header);
  header = std::min<std::uint64_t>(header, file.size() - sizeof header);
  const std::string key = "\"sha256\":\"";
  const auto at = file.find(key);
  const auto end = static_cast<std::size_t>(header) + sizeof header;
  if (at != std::string::npos && at + key.size() + kHash <= end)
    file.replace(at + key.size(), kHash, sha256(file.substr(end)));
  return kFirst + sha256(file.substr(0, end)) + "\n" + file;
}

void read_checkpoint(const std::filesystem::path& file, const std::string& bytes) {
  write_file(file, bytes);
  const worker::RunCheckpoint checkpoint(file);
  checkpoint.require_pipeline(std::string(kHash, 'a'));
  checkpoint.require_images(std::string(kHash, 'b'));
}

}  // namespace

Target checkpoint_target() {
  Target target;
  target.name = "checkpoint";
  target.seeds = {{"checkpoint.nbs", valid_checkpoint()}};
  target.words = {"run.threads",  "\"data_offsets\":[",   "\"shape\":[", "\"dtype\":\"I64\"",
                  "__metadata__", "18446744073709551615", "-1"};
  target.read = [](const Seed& input, const std::filesystem::path& scratch) {
    const auto file = scratch / "checkpoint.nbs";
    try {
      read_checkpoint(file, with_right_checksums(input.bytes));
    } catch (const Error&) {
      // Refused for something else than a checksum.
    }
    read_checkpoint(file, input.bytes);
  };
  return target;
}

}  // namespace nbs::fuzz
