// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "nbs/base/files.h"
#include "nbs/record/metric.h"
#include "nbs/record/provenance.h"

#include "full_diagnostics.h"
#include "full_result.h"

using namespace nbs;
using Json = nlohmann::ordered_json;

namespace {

// Words that mean something else where other modules use them.
const std::set<std::string> kElsewhere = {
    // sections and options of pipeline files and of plugins, names of roles and kinds
    "after", "autoencoder", "before", "count", "dataset", "device", "experiment", "format", "iterations", "labeled",
    "mean", "method", "name", "patches", "predictor", "scores", "seed", "split_seed", "threads", "threshold",
    "threshold_rule", "training",
    // split.json, the catalog of plugins, paper_tables.json and the tables of `nbs table`
    "f1", "file", "id", "images", "kind", "plugins", "precision", "recall", "sha256", "type", "version",
    // units of options and arguments of `nbs test-plugin`
    "iteration", "seconds", "side",
    // the program, an argument of `nbs predict`, a class of the style sheet, the loss as a sentence calls it
    "l_pred", "model", "nbs", "oracle"};

void collect_keys(const Json& json, std::set<std::string>& keys) {
  if (json.is_array()) {
    for (const auto& item : json)
      collect_keys(item, keys);
  }
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    keys.insert(key);
    // Below these stand names of files and options.
    if (key != "model" && key != "tuned_postproc") collect_keys(value, keys);
  }
}

std::set<std::string> all_keys() {
  std::set<std::string> keys;
  collect_keys(record::to_json(test::full_result()), keys);
  record::Provenance provenance;
  provenance.plugins.emplace_back();
  collect_keys(record::to_json(provenance), keys);
  for (const auto& metric : record::all_metrics())
    keys.insert(metric.name);
  collect_keys(record::to_json(test::full_diagnostics()), keys);
  keys.insert({"ending", record::kSamplerPrefix, "result.json", "metrics.jsonl", "provenance.json"});
  return keys;
}

// The sources of all modules and plugins but this one's, by their paths.
std::map<std::string, std::string> other_sources() {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> sources;
  for (const char* folder : {"core", "plugins"}) {
    const fs::path top = fs::path(NBS_SOURCE_DIR) / folder;
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      const auto name = entry.path().lexically_relative(NBS_SOURCE_DIR).generic_string();
      const auto extension = entry.path().extension();
      if (name.rfind("core/record/", 0) == 0 || name.find("/tests/") != std::string::npos) continue;
      if (extension == ".cpp" || extension == ".h") sources[name] = read_file(entry.path());
    }
  }
  return sources;
}

}  // namespace

TEST_CASE("no other module knows a key of a result, of the metrics or of the provenance") {
  const auto sources = other_sources();
  REQUIRE(sources.size() > 100);
  const auto keys = all_keys();
  REQUIRE(keys.count("before_postproc") == 1);
  REQUIRE(keys.count("ae_loss") == 1);
  for (const auto& key : keys) {
    const bool elsewhere = kElsewhere.count(key) > 0;
    bool found = false;
    for (const auto& [name, text] : sources) {
      if (text.find('"' + key + '"') == std::string::npos) continue;
      found = true;
      CHECK_MESSAGE(elsewhere, name << " holds \"" << key << "\"");
    }
    CHECK_MESSAGE(found >= elsewhere, "no module uses \"" << key << "\" any more; take it out of the exceptions");
  }
}
