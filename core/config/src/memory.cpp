// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "nbs/config/pipeline.h"

namespace nbs::config {

namespace {

// Something large that a run keeps, and the option that makes it so.
struct Part {
  const char* option;
  std::string what;
  double bytes;
};

constexpr double kGiB = 1024.0 * 1024 * 1024;

// The images that a run reads, at a byte a color. How many a data set on disk has is not known here; the labeled ones
// at least.
struct Images {
  std::int64_t count;
  double bytes;
  bool held;  // in memory: all of them, or none

  explicit Images(const data::DataOptions& options)
      : count(options.format == data::Format::synthetic ? options.count + options.auxiliary : options.labeled),
        bytes(3.0 * static_cast<double>(options.image_size) * static_cast<double>(options.image_size) *
              static_cast<double>(count)),
        held(bytes <= static_cast<double>(options.memory) * 1024 * 1024) {}

  std::string text(std::int64_t size) const { return fmt::format("{0} images of {1} x {1} pixels", count, size); }
};

std::vector<Part> parts_of(const Pipeline& pipeline) {
  const auto& data = pipeline.data.options;
  const auto& profile = pipeline.profile.options;
  const auto& buffer = pipeline.buffer.options;
  const auto& train = pipeline.train.options;
  constexpr double kFloat = 4;
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  const double plane = number(data.image_size) * number(data.image_size) * kFloat;
  std::vector<Part> parts;
  const Images images(data);
  if (images.held) parts.push_back({"data.memory", images.text(data.image_size), images.bytes});
  parts.push_back({"data.labeled",
                   fmt::format("the masks of {0} labeled images of {1} x {1} pixels", data.labeled, data.image_size),
                   plane * number(data.labeled)});
  const bool profiles = pipeline.autoencoder && pipeline.sampler;
  if (profiles) {
    const double patch = 3 * number(profile.patch_size) * number(profile.patch_size) * kFloat;
    parts.push_back(
        {"train.patches",
         fmt::format("the {0} patches of {1} x {1} pixels of one iteration", train.patches, profile.patch_size),
         patch * number(train.patches)});
    parts.push_back(
        {"profile.length", fmt::format("one profile of {} maps", profile.length), plane * number(profile.length)});
    // Neighboring profiles share their maps, so the buffer keeps about one map a profile.
    const auto recorded = data.labeled * (train.iterations / profile.stride - profile.length + 1);
    const auto kept = std::clamp<std::int64_t>(recorded, 0, buffer.capacity);
    parts.push_back({"buffer.capacity", fmt::format("the maps of {} buffered profiles", kept), plane * number(kept)});
  }
  if (data.labeled > 0) {
    const auto side = buffer.crop == 0 ? data.image_size : std::min(buffer.crop, data.image_size);
    const double layers = (profiles ? number(profile.length) : 3) + 1;
    parts.push_back({"buffer.batch", fmt::format("a minibatch of {0} crops of {1} x {1} pixels", buffer.batch, side),
                     layers * number(buffer.batch) * number(side) * number(side) * kFloat});
  }
  return parts;
}

}  // namespace

double least_memory(const Pipeline& pipeline) {
  double total = 0;
  for (const auto& part : parts_of(pipeline))
    total += part.bytes;
  return total;
}

std::vector<Diagnostic> check_memory(const Document& document, const Pipeline& pipeline, double available) {
  const auto parts = parts_of(pipeline);
  double total = 0;
  for (const auto& part : parts)
    total += part.bytes;
  if (total <= available) return {};
  const auto& largest =
      *std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.bytes < b.bytes; });
  return {
      {document.location_of(largest.option),
       fmt::format("a run needs at least {:.1f} GiB of memory, {:.1f} of them for {}, but this machine has {:.1f} GiB; "
                   "lower {} or the size",
                   total / kGiB, largest.bytes / kGiB, largest.what, available / kGiB, largest.option)}};
}

std::vector<Diagnostic> check_disk(const Document& document, const Pipeline& pipeline, double capacity) {
  const auto& data = pipeline.data.options;
  const Images images(data);
  if (images.held || images.bytes <= capacity) return {};
  return {
      {document.location_of("data.image_size"),
       fmt::format("{} take {:.1f} GiB, more than data.memory ({} MiB), so they would go to the cache folder, but its "
                   "disk has {:.1f} GiB in all; lower the size or the number of images, or let XDG_CACHE_HOME name a "
                   "folder on a larger disk",
                   images.text(data.image_size), images.bytes / kGiB, data.memory, capacity / kGiB)}};
}

}  // namespace nbs::config
