// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/data/sample.h"
#include "nbs/error.h"

namespace nbs::data {

namespace {

Listing list_by_format(const DataOptions& options) {
  const std::filesystem::path root = options.root;
  switch (options.format) {
    case Format::crackforest:
      return list_crackforest(root);
    case Format::mvtec:
      return list_mvtec(options.category.empty() ? root : root / options.category);
    case Format::nanotwice:
      return list_nanotwice(root);
    case Format::folder:
      return list_folder(root, options.partial_masks);
    case Format::synthetic:
      return list_synthetic(options);
  }
  throw Error("data.format is none that this version knows");
}

// Predictions are written under their ids, so two samples with one id would overwrite each other.
void refuse_duplicates(const Listing& listing) {
  std::map<std::string, std::filesystem::path> seen;
  for (const auto* samples : {&listing.samples, &listing.auxiliary}) {
    for (const auto& sample : *samples) {
      const auto [at, is_new] = seen.emplace(sample.id, sample.image);
      if (is_new) continue;
      throw Error(fmt::format("{} and {} would both be called \"{}\", so they cannot be told apart; rename one of them",
                              at->second.string(), sample.image.string(), sample.id));
    }
  }
}

// Ids stand in JSON, which cannot hold other bytes; to find that out at the end of a training would be late.
void refuse_other_encodings(const Listing& listing) {
  for (const auto* samples : {&listing.samples, &listing.auxiliary}) {
    for (const auto& sample : *samples) {
      const nlohmann::json name = sample.image.filename().string();
      try {
        (void)nlohmann::json(sample.id).dump();
        (void)name.dump();
      } catch (const nlohmann::json::exception&) {
        throw Error(fmt::format("the name of the image {} in {} is not UTF-8; rename it",
                                name.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                                sample.image.parent_path().string()));
      }
    }
  }
}

void sort_by_id(std::vector<Sample>& samples) {
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.id < b.id; });
}

}  // namespace

Listing list_samples(const DataOptions& options) {
  if (options.format != Format::synthetic) {
    if (options.root.empty()) {
      throw Error(fmt::format("data.root is empty, but the format \"{}\" reads a folder; set data.root",
                              choice_name(options.format, formats())));
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(options.root, ignored)) {
      throw Error(fmt::format("the data folder {} {}; set data.root to the folder of the data set", options.root,
                              std::filesystem::exists(options.root, ignored) ? "is no folder but a file"
                                                                             : "does not exist or is no folder"));
    }
  }
  auto listing = list_by_format(options);
  if (options.format != Format::synthetic) {
    sort_by_id(listing.samples);
    sort_by_id(listing.auxiliary);
    refuse_duplicates(listing);
    refuse_other_encodings(listing);
  }
  if (static_cast<std::int64_t>(listing.auxiliary.size()) > options.auxiliary)
    listing.auxiliary.resize(static_cast<std::size_t>(options.auxiliary));
  return listing;
}

}  // namespace nbs::data
