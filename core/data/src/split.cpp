// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/split.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/error.h"

namespace nbs::data {

namespace {

bool shows_anomaly(const Sample& sample, const DataOptions& options) {
  if (!sample.type.empty()) return sample.type != "good";
  if (sample.mask_source == MaskSource::none) return false;
  return cv::countNonZero(load_mask(sample, options)) > 0;
}

const char* role(const Split& split, std::int64_t index) {
  return std::binary_search(split.labeled.begin(), split.labeled.end(), index) ? "labeled" : "unlabeled";
}

// An image in the manifest, as JSON with its indentation.
std::string line_of(const Listing& listing, const Split& split, std::size_t i) {
  const auto& sample = listing.samples[i];
  const nlohmann::ordered_json json = {{"id", sample.id},
                                       {"role", role(split, static_cast<std::int64_t>(i))},
                                       {"type", sample.type},
                                       {"file", sample.image.filename().string()}};
  // Names of files need not be UTF-8, but JSON is.
  const auto text = json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string indented = "  ";
  for (const char letter : text)
    indented += letter == '\n' ? "\n  " : std::string(1, letter);
  return indented;
}

// Exchanges drawn images that show no anomaly, the last first, for the next in the order that do, until enough of the
// first options.labeled do. Looks at no more images than that takes.
void exchange_for_anomalous(std::vector<std::int64_t>& order, const Listing& listing, const DataOptions& options) {
  if (options.labeled == 0) return;
  const auto drawn = static_cast<std::size_t>(options.labeled);
  std::int64_t found = 0;
  std::vector<std::size_t> clean;
  for (std::size_t i = 0; i < order.size() && found < options.min_anomalous; ++i) {
    const bool anomalous = shows_anomaly(listing.samples[order[i]], options);
    found += anomalous ? 1 : 0;
    if (i < drawn && !anomalous) clean.push_back(i);
    if (i >= drawn && anomalous) {
      std::swap(order[i], order[clean.back()]);
      clean.pop_back();
    }
  }
  if (found >= options.min_anomalous) return;
  if (found == 0) {
    throw Error(
        fmt::format("no image of the data set shows an anomaly at the size at which it is looked at, so none of the "
                    "labeled ones can; check {}whether anomalies are too small for data.image_size ({}), or set "
                    "data.min_anomalous = 0",
                    options.format == Format::crackforest ? "data.anomalous_labels, or " : "", options.image_size));
  }
  throw Error(
      fmt::format("only {} images of the data set show an anomaly, fewer than data.min_anomalous ({}); lower it", found,
                  options.min_anomalous));
}

}  // namespace

std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 engine(seed);
  // Fisher and Yates, with the draw written out: std::shuffle differs between standard libraries.
  for (std::int64_t i = count - 1; i > 0; --i) {
    const auto j = static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(i + 1));
    std::swap(order[i], order[j]);
  }
  return order;
}

Split draw_split(const Listing& listing, const DataOptions& options) {
  const auto count = static_cast<std::int64_t>(listing.samples.size());
  if (options.labeled > count) {
    throw Error(
        fmt::format("data.labeled is {}, but the data set has only {} images; lower it", options.labeled, count));
  }
  if (options.min_anomalous > options.labeled && options.labeled > 0) {
    throw Error(fmt::format("data.min_anomalous is {}, but only {} images are labeled (data.labeled); lower it",
                            options.min_anomalous, options.labeled));
  }
  auto order = permutation(count, static_cast<std::uint64_t>(options.split_seed));
  // Only what has a mask can be labeled: whoever has marked five images of a thousand gives five masks.
  const auto masked = std::stable_partition(
                          order.begin(), order.end(),
                          [&](std::int64_t index) { return listing.samples[index].mask_source != MaskSource::none; }) -
                      order.begin();
  if (options.labeled > masked) {
    std::string remarks;
    for (const auto& remark : listing.remarks)
      remarks += "; " + remark;
    throw Error(
        fmt::format("data.labeled is {}, but only {} of the {} images in {} have a mask; lower it, or add masks{}",
                    options.labeled, masked, count, options.root, remarks));
  }
  exchange_for_anomalous(order, listing, options);
  Split split;
  split.labeled.assign(order.begin(), order.begin() + options.labeled);
  split.unlabeled.assign(order.begin() + options.labeled, order.end());
  std::sort(split.labeled.begin(), split.labeled.end());
  std::sort(split.unlabeled.begin(), split.unlabeled.end());
  return split;
}

std::string manifest(const Listing& listing, const Split& split, const DataOptions& options) {
  nlohmann::ordered_json json;
  json["format"] = choice_name(options.format, formats());
  json["split_seed"] = options.split_seed;
  json["labeled"] = split.labeled.size();
  json["unlabeled"] = split.unlabeled.size();
  json["auxiliary"] = listing.auxiliary.size();
  json["images"] = nlohmann::ordered_json::array();
  // One image after the other: as JSON, all of a large data set would take many times the memory of the text.
  auto text = json.dump(1);
  text.resize(text.rfind(']'));
  for (std::size_t i = 0; i < listing.samples.size(); ++i)
    text += fmt::format("{}\n{}", i == 0 ? "" : ",", line_of(listing, split, i));
  return text + (listing.samples.empty() ? "]\n}\n" : "\n ]\n}\n");
}

}  // namespace nbs::data
