// SPDX-License-Identifier: Apache-2.0
#include "run_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "nbs/base/hash.h"
#include "nbs/base/print.h"
#include "nbs/data/sets.h"
#include "nbs/not_finite.h"
#include "nbs/tensor.h"
#include "nbs/training/divergence.h"
#include "nbs/training/safetensors.h"
#include "nbs/training/state_io.h"

#include "error_sentence.h"

namespace nbs::worker {

namespace {

// The file: this line, a line with the SHA-256 of the header of the safetensors file that follows, and that file. The
// header has the SHA-256 of the numbers, so every byte is covered.
constexpr const char* kFirstLine = "nbs checkpoint 1\n";
constexpr std::size_t kHashLength = 64;
constexpr std::size_t kLengthBytes = 8;

std::size_t length_of_header(std::string_view safetensors) {
  std::uint64_t length = 0;
  if (safetensors.size() < kLengthBytes) return safetensors.size();
  std::memcpy(&length, safetensors.data(), kLengthBytes);
  return length > safetensors.size() - kLengthBytes ? safetensors.size()
                                                    : kLengthBytes + static_cast<std::size_t>(length);
}

}  // namespace

std::string version_of(const std::string& nbs, const std::string& libtorch,
                       const std::vector<record::PluginRecord>& plugins) {
  std::string text = fmt::format("nbs {}, LibTorch {}", nbs, libtorch);
  for (const auto& plugin : plugins)
    text += fmt::format(", {} {} ({})", plugin.name, plugin.version, plugin.sha256.substr(0, 16));
  return text;
}

std::string hash_of(const data::TrainingSet& set, std::int64_t held_out) {
  Sha256 hash;
  hash.add(fmt::format("{} {} {} {} {}\n", set.places.size(), set.size, set.labeled, set.unlabeled, held_out));
  for (const auto place : set.places)
    hash.add(fmt::format("{:08x}\n", set.images->checksum(place)));
  hash.add({reinterpret_cast<const char*>(set.masks.data()), set.masks.size() * sizeof(float)});
  return hash.hexadecimal();
}

void RunCheckpoint::refuse(const std::string& reason) const {
  throw CheckpointRefused(fmt::format(
      "the checkpoint {} cannot be gone on from: {}; start the run again from its beginning", file_.string(), reason));
}

RunCheckpoint::RunCheckpoint(std::filesystem::path file) : file_(std::move(file)) {
  const std::string first = kFirstLine;
  std::string bytes;
  try {
    bytes = read_file(file_, "checkpoint");
  } catch (const Error& error) {
    throw CheckpointRefused(error.what());
  }
  if (bytes.compare(0, first.size(), first) != 0)
    refuse("it does not begin as one of this version, so it is damaged or of another");
  const auto begin = first.size() + kHashLength + 1;
  if (bytes.size() < begin) refuse(fmt::format("it is damaged: it has only {} bytes", bytes.size()));
  const auto noted = bytes.substr(first.size(), kHashLength);
  bytes.erase(0, begin);
  Sha256 hash;
  hash.add(std::string_view(bytes).substr(0, length_of_header(bytes)));
  if (hash.hexadecimal() != noted) refuse("it is damaged: its header has changed since it was written");
  try {
    state_ = training::from_safetensors(bytes, file_.string());
    const training::StateReader reader(state_);
    origin_ = {reader.bytes("run.version"), reader.bytes("run.pipeline"), reader.bytes("run.images")};
    threads_ = reader.integer("run.threads", 1, 4096);
    metrics_length_ = static_cast<std::uint64_t>(reader.integer("run.metrics", 0, std::int64_t{1} << 50));
    training_seconds_ = reader.number("run.seconds");
    total_seconds_ = reader.number("run.total_seconds");
  } catch (const Error& error) {
    refuse(error.what());
  }
}

void RunCheckpoint::require_pipeline(const std::string& pipeline) const {
  if (pipeline != origin_.pipeline) {
    refuse(fmt::format("it is of a pipeline whose resolved file has the SHA-256 {}, but this one has {}",
                       origin_.pipeline, pipeline));
  }
}

void RunCheckpoint::require_version(const std::string& version) const {
  if (version != origin_.version) refuse(fmt::format("it was written by {}, but this is {}", origin_.version, version));
}

void RunCheckpoint::require_images(const std::string& images) const {
  if (images != origin_.images) {
    refuse(fmt::format(
        "the images or the masks of the labeled ones have changed since it was written (SHA-256 {}, now {})",
        origin_.images, images));
  }
}

void RunCheckpoint::restore(training::Members& members) const {
  try {
    members.load(state_);
  } catch (const Error& error) {
    refuse(error.what());
  }
}

void RunCheckpoint::require_metrics(const std::filesystem::path& metrics, const training::Members& members) const {
  std::string text;
  try {
    text = read_file(metrics, "metrics");
  } catch (const Error& error) {
    refuse(error.what());
  }
  if (text.size() < metrics_length_) {
    refuse(
        fmt::format("{} has {} bytes, but had {} when it was written", metrics.string(), text.size(), metrics_length_));
  }
  text.resize(metrics_length_);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  if (lines != members.iteration() || (!text.empty() && text.back() != '\n')) {
    refuse(fmt::format("{} has {} lines of the {} iterations that were done", metrics.string(), lines,
                       members.iteration()));
  }
}

void CheckpointWriter::look(const training::Members& members, LineFile& metrics, bool stopping) {
  if (run_.minutes <= 0) return;
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - last_;
  if (!stopping && since.count() < 60 * run_.minutes) return;
  try {
    write(members, metrics);
  } catch (const training::Diverged&) {
    // Training finds that out by itself, as it does without checkpoints.
  } catch (const NotFiniteError&) {
  } catch (const std::exception& error) {
    if (!said_) say(fmt::format("no checkpoint could be written: {}; the run goes on", error_sentence(error)));
    said_ = true;
  }
  last_ = std::chrono::steady_clock::now();
}

void CheckpointWriter::write(const training::Members& members, LineFile& metrics) {
  // The lines first: after a power cut there must be no checkpoint without its metrics.
  metrics.sync();
  State state;
  members.save(state);
  training::StateWriter writer(state);
  writer.bytes("run.version", run_.origin.version);
  writer.bytes("run.pipeline", run_.origin.pipeline);
  writer.bytes("run.images", run_.origin.images);
  writer.integer("run.threads", run_.threads);
  writer.integer("run.metrics", static_cast<std::int64_t>(file_length(run_.metrics)));
  writer.number("run.seconds", run_.training_seconds());
  writer.number("run.total_seconds", run_.total_seconds());
  const auto header = training::safetensors_header(state);
  const auto begin = kFirstLine + sha256(header) + "\n";
  std::vector<std::string_view> pieces = {begin, header};
  for (const auto& [name, tensor] : state.tensors())
    pieces.push_back(training::numbers_of(tensor));
  write_file(run_.file, pieces);
}

}  // namespace nbs::worker
