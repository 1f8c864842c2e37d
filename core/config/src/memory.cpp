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

std::vector<Part> parts_of(const Pipeline& pipeline) {
  const auto& data = pipeline.data.options;
  const auto& profile = pipeline.profile.options;
  const auto& buffer = pipeline.buffer.options;
  const auto& train = pipeline.train.options;
  constexpr double kFloat = 4;
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  const double plane = number(data.image_size) * number(data.image_size) * kFloat;
  std::vector<Part> parts;
  // How many images a data set on disk has is not known here; the labeled ones at least.
  const auto images = data.format == data::Format::synthetic ? data.count + data.auxiliary : data.labeled;
  const double pixels = 3 * number(data.image_size) * number(data.image_size) * number(images);
  // All of them are held in memory, or none.
  if (pixels <= number(data.memory) * 1024 * 1024) {
    parts.push_back({"data.memory", fmt::format("{0} images of {1} x {1} pixels", images, data.image_size), pixels});
  }
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
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  return {
      {document.location_of(largest.option),
       fmt::format("a run needs at least {:.1f} GiB of memory, {:.1f} of them for {}, but this machine has {:.1f} GiB; "
                   "lower {} or the size",
                   total / kGiB, largest.bytes / kGiB, largest.what, available / kGiB, largest.option)}};
}

}  // namespace nbs::config
