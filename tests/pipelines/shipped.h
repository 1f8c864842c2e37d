// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "nbs/config/document.h"
#include "nbs/config/pipeline.h"
#include "nbs/host/catalog.h"

#include "program.h"

namespace nbs::test {

/// Runs nbs; what it wrote to standard error stands in `output` too.
Ended run_nbs(const std::vector<std::string>& words);

/// A pipeline file of the repository.
struct Shipped {
  std::filesystem::path file;
  std::string name;  ///< below pipelines/, for example "mvtec/bottle-unet.toml"
  config::Document document;

  /// A text of the merged document, such as "data.format"; empty if it is not set.
  std::string text(const std::string& path) const;
  /// Names a predictor, so it can be run; otherwise it is a part of other files.
  bool whole() const { return !text("predictor.plugin").empty(); }
};

/// All *.toml below pipelines/, in the order of their names.
const std::vector<Shipped>& shipped();
/// The one with this name; fails the test if there is none.
const Shipped& shipped(std::string_view name);

/// The plugins that nbs finds.
const host::Catalog& plugins();

/// "--set data.root=…" for a file, with a small generated data set in the published layout; nothing if it needs none.
/// The data sets hold 14 images of 64 x 64 pixels, or fewer where the layout has no place for normal ones.
std::vector<std::string> data_of(const Shipped& file);

/// Overrides that make a file's run a matter of a second and leave what it is about as it is.
std::vector<std::string> small(const Shipped& file);

}  // namespace nbs::test
