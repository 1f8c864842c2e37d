// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/config/sweep.h"

#include "shipped.h"

// What can be said of the files without training.

namespace {

using namespace nbs;
using test::data_of;
using test::run_nbs;
using test::Shipped;
using test::shipped;

std::string root_override(const Shipped& file) {
  const auto words = data_of(file);
  return words.empty() ? "" : words.back();
}

// All runs of a file, resolved.
std::vector<config::Pipeline> pipelines_of(const Shipped& file) {
  auto document = file.document;
  if (const auto root = root_override(file); !root.empty()) document.apply(root);
  std::vector<config::Pipeline> pipelines;
  for (const auto& cell : config::expand(document))
    pipelines.push_back(config::resolve(cell.document, test::plugins()));
  return pipelines;
}

void flatten(const config::Node& node, const std::string& path, std::map<std::string, std::string>& out) {
  if (node.type == config::Node::Type::scalar) out[path] = to_text(node.scalar);
  for (const auto& [key, child] : node.table)
    flatten(child, path.empty() ? key : path + "." + key, out);
  for (std::size_t i = 0; i < node.array.size(); ++i)
    flatten(node.array[i], path + "." + std::to_string(i), out);
}

// Every option of a pipeline by its dotted name, without those that only tell runs apart.
std::map<std::string, std::string> options_of(const config::Pipeline& pipeline) {
  std::map<std::string, std::string> options;
  flatten(config::Document::from_text(config::to_toml(pipeline), "resolved").root(), "", options);
  for (const char* label : {"name", "seed", "data.split_seed", "experiment.dataset", "experiment.method"})
    options.erase(label);
  return options;
}

std::set<std::string> differences(const config::Pipeline& a, const config::Pipeline& b) {
  const auto left = options_of(a);
  const auto right = options_of(b);
  std::set<std::string> names;
  for (const auto& [name, value] : left) {
    const auto other = right.find(name);
    if (other == right.end() || other->second != value) names.insert(name);
  }
  for (const auto& [name, value] : right) {
    if (left.count(name) == 0) names.insert(name);
  }
  return names;
}

bool below(const Shipped& file, const std::string& folder) {
  return file.name.compare(0, folder.size(), folder) == 0;
}

}  // namespace

TEST_CASE("nbs check has nothing to say about any file, and what cannot be run is a base of what can") {
  REQUIRE(shipped().size() > 80);
  std::map<std::string, std::vector<std::string>> files_by_root;  // one call for all files of a data set
  std::string texts;
  for (const auto& file : shipped()) {
    texts += nbs::read_file(file.file);
    if (file.whole()) files_by_root[root_override(file)].push_back(file.file.string());
  }
  CHECK(files_by_root.size() == 4);  // three data sets and the generated one
  for (const auto& [root, files] : files_by_root) {
    std::vector<std::string> words = {"check"};
    words.insert(words.end(), files.begin(), files.end());
    if (!root.empty()) words.insert(words.end(), {"--set", root});
    const auto ended = run_nbs(words);
    INFO(ended.output);
    CHECK(ended.status == 0);
    CHECK(ended.output.find(std::to_string(files.size()) + " file") == 0);
  }
  for (const auto& file : shipped()) {
    if (file.whole()) continue;
    CAPTURE(file.name);
    CHECK(texts.find(file.name + "\"") != std::string::npos);
  }
}

TEST_CASE("every figure of the paper has a file with its labels, run on three splits") {
  std::set<std::pair<std::string, std::string>> labels;
  for (const auto& file : shipped()) {
    if (below(file, "ablations/") || file.text("data.format").empty() || file.text("data.format") == "synthetic")
      continue;
    CAPTURE(file.name);
    if (file.name == "crackforest.toml") {
      CHECK(pipelines_of(file).size() == 1);
      continue;
    }
    const auto pipelines = pipelines_of(file);
    CHECK(pipelines.size() == 3);
    std::set<std::pair<std::int64_t, std::int64_t>> seeds;
    for (const auto& pipeline : pipelines)
      seeds.emplace(pipeline.seed, pipeline.data.options.split_seed);
    CHECK(seeds == std::set<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {1, 1}, {2, 2}});
    const auto& data = pipelines.front().data.options;
    CHECK(data.labeled == 5);       // the paper's
    CHECK(data.image_size == 256);  // the paper's
    const auto& experiment = pipelines.front().experiment.options;
    const auto folder = file.name.substr(0, file.name.find('/'));
    CHECK(experiment.dataset == (data.category.empty() ? folder : folder + "/" + data.category));
    if (folder != "magnetic_tile") CHECK(folder == nbs::choice_name(data.format, nbs::data::formats()));
    labels.emplace(experiment.dataset, experiment.method);
  }
  const auto paper = nlohmann::json::parse(nbs::read_file(NBS_SOURCE_DIR "/pipelines/paper_tables.json"));
  std::size_t figures = 0;
  for (const auto& table : paper.at("tables")) {
    for (const auto& row : table.at("rows")) {
      for (const auto& method : paper.at("methods")) {
        const std::string name = method.at("method");
        CAPTURE(row.at("dataset").get<std::string>());
        CAPTURE(name);
        const bool printed = !row.at(name).is_null();
        CHECK(labels.count({row.at("dataset"), name}) == (printed ? 1 : 0));
        figures += printed ? 1 : 0;
      }
    }
  }
  CHECK(figures == 50);  // 17 data sets with three methods each, but for one N/A
}

TEST_CASE("a method is the same on every data set but for what its kind of surface sets") {
  const auto only = [](const std::string& name, const std::string& other) {
    std::set<std::string> sections;
    const auto ours = pipelines_of(shipped(name)).front();
    const auto theirs = pipelines_of(shipped(other)).front();
    for (const auto& option : differences(ours, theirs))
      sections.insert(option.substr(0, option.find('.')));
    return sections;
  };
  CHECK(only("mvtec/bottle-unet.toml", "mvtec/zipper-unet.toml") == std::set<std::string>{"data"});
  CHECK(only("mvtec/bottle-unet.toml", "crackforest/unet.toml") == std::set<std::string>{"data", "evaluation"});
  CHECK(only("magnetic_tile/crack-unet.toml", "crackforest/unet.toml") == std::set<std::string>{"data"});
  CHECK(only("crackforest/unet.toml", "crackforest/unet_self_training.toml") == std::set<std::string>{"train"});
  CHECK(only("crackforest/random.toml", "crackforest/random_members.toml") == std::set<std::string>{"train"});
  CHECK(only("magnetic_tile/crack-random.toml", "mvtec/wood-proposed.toml") ==
        std::set<std::string>{"data", "sampler"});
  CHECK(only("mvtec/bottle-proposed.toml", "mvtec/zipper-proposed.toml") == std::set<std::string>{"data"});
  CHECK(only("mvtec/bottle-proposed.toml", "mvtec/bottle-random.toml") == std::set<std::string>{"sampler", "train"});
  CHECK(only("mvtec/bottle-proposed.toml", "mvtec/bottle-proposed_image.toml") == std::set<std::string>{"predictor"});
  CHECK(only("crackforest/proposed.toml", "crackforest/proposed_all_actions.toml") ==
        std::set<std::string>{"reward", "sampler", "train"});
  CHECK(only("magnetic_tile/crack-random.toml", "magnetic_tile/crack-late_fusion.toml") ==
        std::set<std::string>{"augment", "buffer", "predictor", "train"});
  CHECK(only("mvtec/wood-late_fusion.toml", "magnetic_tile/crack-late_fusion.toml") == std::set<std::string>{"data"});
  CHECK(only("mvtec/bottle-late_fusion.toml", "mvtec/zipper-late_fusion.toml") == std::set<std::string>{"data"});
  CHECK(only("mvtec/wood-unsupervised_l2.toml", "mvtec/wood-unsupervised_ssim.toml") ==
        std::set<std::string>{"autoencoder"});
  auto sections = only("crackforest.toml", "crackforest/proposed.toml");
  sections.erase("data");  // the file of the splits may say how labeled images are drawn
  CHECK(sections.empty());
}

constexpr const char* kSamplers = "ablations/samplers.toml";

TEST_CASE("the comparison of samplers is made of rows of the table, on five splits") {
  std::map<std::string, std::set<std::int64_t>> seeds;
  for (const auto& pipeline : pipelines_of(shipped(kSamplers))) {
    const auto method = pipeline.experiment.options.method;
    CAPTURE(method);
    const auto row = pipelines_of(shipped("crackforest/" + method + ".toml")).front();
    CHECK(pipeline.experiment.options.dataset == row.experiment.options.dataset);
    auto changed = differences(row, pipeline);
    changed.erase("data.min_anomalous");  // the file of the splits may say how labeled images are drawn
    CHECK(changed.empty());
    CHECK(pipeline.seed == pipeline.data.options.split_seed);
    CHECK(seeds[method].insert(pipeline.seed).second);
  }
  const std::set<std::int64_t> five = {0, 1, 2, 3, 4};
  CHECK(seeds ==
        std::map<std::string, std::set<std::int64_t>>{{"heuristic", five}, {"proposed", five}, {"random", five}});
}

TEST_CASE("an ablation changes one thing of the proposed method, and says which") {
  const auto main = pipelines_of(shipped("crackforest/proposed.toml")).front();
  REQUIRE(!main.postproc.empty());
  std::set<std::string> methods;
  for (const auto& file : shipped()) {
    if (!below(file, "ablations/") || file.name == kSamplers) continue;
    CAPTURE(file.name);
    // Own labels: else its runs would be averaged with others', or refused as ambiguous.
    const auto method = file.text("experiment.method");
    CHECK("ablations/" + method + ".toml" == file.name);
    CHECK(methods.insert(method).second);

    std::set<std::string> changed;
    std::set<std::map<std::string, std::string>> distinct;
    const auto pipelines = pipelines_of(file);
    for (const auto& pipeline : pipelines) {
      CHECK(pipeline.experiment.options.dataset == "crackforest");
      changed.merge(differences(main, pipeline));
      distinct.insert(options_of(pipeline));
    }
    CHECK(distinct.size() * 3 == pipelines.size());  // cells that differ, three splits each
    const auto* const sweep = file.document.root().find("sweep");
    const auto* const grid = sweep == nullptr ? nullptr : sweep->find("grid");
    std::set<std::string> expected;
    if (grid != nullptr) {
      for (const auto& [option, values] : grid->table)
        expected.insert(option);
      CHECK(changed == expected);
    } else {
      for (const auto& option : changed)
        expected.insert(option.substr(0, option.find('.')));
      CHECK(expected.size() == 1);
      CHECK(pipelines.size() == 3);
    }
  }
  CHECK(methods.size() >= 14);
  CHECK(pipelines_of(shipped("ablations/no_crf.toml")).front().postproc.empty());
}
