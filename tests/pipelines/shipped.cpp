// SPDX-License-Identifier: Apache-2.0
#include "shipped.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"

#include "scratch.h"

namespace nbs::test {

namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(NBS_SOURCE_DIR) / "pipelines";

const config::Node* at(const config::Node& root, const std::string& path) {
  const config::Node* node = &root;
  std::size_t from = 0;
  while (node != nullptr && from <= path.size()) {
    const auto dot = std::min(path.find('.', from), path.size());
    node = node->find(path.substr(from, dot - from));
    from = dot + 1;
  }
  return node;
}

// The data sets, made once; they go with the program.
struct Sets {
  Scratch scratch;

  Sets() {
    make("crackforest", "crackforest");
    make("nanotwice", "nanotwice");
    make("mvtec", "mvtec/class");
  }
  void make(const std::string& layout, const std::string& folder) const {
    const auto ended =
        run_nbs({"data", (kFolder / "synthetic.toml").string(), "--set", "data.image_size=64", "--set", "data.count=14",
                 "--set", "buffer.crop=16", "--export", (scratch / folder).string(), "--layout", layout});
    INFO(ended.output);
    REQUIRE(ended.status == 0);
  }
  // The root for a file; all classes of MVTec are the same folder here.
  fs::path root(const std::string& format, const std::string& category) const {
    const auto folder = scratch / format;
    REQUIRE(fs::is_directory(folder));
    if (!category.empty() && !fs::exists(folder / category))
      fs::create_directory_symlink(folder / "class", folder / category);
    return folder;
  }
};

}  // namespace

Ended run_nbs(const std::vector<std::string>& words) {
  static const Program nbs;
  auto ended = nbs(words);
  ended.output += ended.errors;
  return ended;
}

std::string Shipped::text(const std::string& path) const {
  const auto* const node = at(document.root(), path);
  const auto* const held = node == nullptr ? nullptr : std::get_if<std::string>(&node->scalar);
  return held == nullptr ? std::string() : *held;
}

const std::vector<Shipped>& shipped() {
  static const std::vector<Shipped> files = [] {
    std::vector<Shipped> found;
    for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
      // pipelines/results/ keeps resolved files of runs.
      if (entry.path().extension() != ".toml" || fs::relative(entry.path(), kFolder).begin()->string() == "results")
        continue;
      found.push_back(
          {entry.path(), fs::relative(entry.path(), kFolder).string(), config::Document::from_file(entry.path())});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return found;
  }();
  return files;
}

const Shipped& shipped(std::string_view name) {
  const auto& files = shipped();
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
  INFO(std::string(name));
  REQUIRE(found != files.end());
  return *found;
}

const host::Catalog& plugins() {
  static const host::Catalog catalog = [] {
    const auto ended = run_nbs({"plugins", "--json"});
    INFO(ended.output);
    REQUIRE(ended.status == 0);
    return host::catalog_from_json(nlohmann::ordered_json::parse(ended.output));
  }();
  return catalog;
}

std::vector<std::string> data_of(const Shipped& file) {
  static const Sets sets;
  const auto format = file.text("data.format");
  if (format.empty() || format == "synthetic") return {};
  return {"--set", "data.root=" + sets.root(format, file.text("data.category")).string()};
}

std::vector<std::string> small(const Shipped& file) {
  std::vector<std::string> words;
  const auto set = [&](std::initializer_list<const char*> overrides) {
    for (const char* text : overrides)
      words.insert(words.end(), {"--set", text});
  };
  set({"sweep={}", "data.image_size=64", "train.threads=1", "buffer.batch=1"});
  if (file.text("sampler.plugin") == "rl")
    set({"sampler.window=16", "sampler.step=8", "sampler.channels=[4]", "sampler.hidden=8", "reward.anneal=2"});
  if (file.text("autoencoder.plugin") == "conv") {
    set({"autoencoder.channels=[4,4]", "autoencoder.bottleneck=4", "profile.patch_size=16", "profile.tile_step=8",
         "profile.length=2", "profile.stride=1", "buffer.crop=16", "train.iterations=5", "train.patches=8",
         "train.clone_patches=8", "train.minibatch=8", "train.warmup=0"});
    const auto* const reinit = at(file.document.root(), "train.reinit_every");
    if (reinit == nullptr || reinit->scalar != Value{std::int64_t{0}}) set({"train.reinit_every=3"});
  }
  if (file.text("autoencoder.plugin") == "bergmann")
    set({"autoencoder.width=4", "autoencoder.latent=4", "autoencoder.window=5", "profile.patch_size=64",
         "buffer.crop=16", "train.iterations=2", "train.patches=2", "train.minibatch=2"});
  if (file.text("predictor.plugin") == "dilated") set({"predictor.channels=4", "predictor.dilations=[1,2]"});
  if (file.text("predictor.plugin") == "unet")
    set({"predictor.depth=2", "predictor.width=4", "buffer.crop=32", "train.iterations=2"});
  if (at(file.document.root(), "train.student_iterations") != nullptr) set({"train.student_iterations=2"});
  if (file.text("predictor.plugin") == "late_fusion")
    set({"predictor.channels=4", "predictor.dilations=[1,2]", "predictor.image_depth=2", "predictor.image_width=4"});
  return words;
}

}  // namespace nbs::test
