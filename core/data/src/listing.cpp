// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/data/sample.h"
#include "nbs/error.h"

namespace nbs::data {

namespace {

Listing list_by_format(const DataOptions& options) {
  const std::filesystem::path root = options.root;
  if (options.format == "crackforest") return list_crackforest(root);
  if (options.format == "mvtec") return list_mvtec(options.category.empty() ? root : root / options.category);
  if (options.format == "nanotwice") return list_nanotwice(root);
  if (options.format == "folder") return list_folder(root);
  return list_synthetic(options);
}

}  // namespace

Listing list_samples(const DataOptions& options) {
  if (options.format != "synthetic") {
    if (options.root.empty()) {
      throw Error(
          fmt::format("data.root is empty, but the format \"{}\" reads a folder; set data.root", options.format));
    }
    if (!std::filesystem::is_directory(options.root)) {
      throw Error(
          fmt::format("the data folder {} does not exist or is no folder; set data.root to the folder of the "
                      "data set",
                      options.root));
    }
  }
  auto listing = list_by_format(options);
  if (static_cast<std::int64_t>(listing.auxiliary.size()) > options.auxiliary)
    listing.auxiliary.resize(static_cast<std::size_t>(options.auxiliary));
  return listing;
}

}  // namespace nbs::data
