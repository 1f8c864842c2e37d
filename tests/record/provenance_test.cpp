// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/provenance.h"

#include <ctime>
#include <iomanip>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>

#include "run_environment.h"
#include "variable.h"

using namespace nbs;

namespace {

host::PluginDescription plugin(Kind kind, const std::string& name, const std::string& hash) {
  host::PluginDescription description;
  description.kind = kind;
  description.name = name;
  description.file = "/somewhere/plugins/lib" + name + ".so";
  description.version = "1.0";
  description.hash = hash;
  return description;
}

}  // namespace

TEST_CASE("provenance names versions, machine, device, time and the plugins that the pipeline uses") {
  host::Catalog catalog;
  catalog.plugins = {plugin(Kind::sampler, "rl", "aa"), plugin(Kind::sampler, "random", "bb"),
                     plugin(Kind::predictor, "dilated", "cc"), plugin(Kind::postprocessor, "morphology", "dd")};
  auto pipeline = test::small_pipeline("a");
  pipeline.train.options.device = nbs::config::Device::cpu;
  pipeline.sampler = config::ComponentSpec{"rl", {}, {}};
  pipeline.predictor = config::ComponentSpec{"dilated", {}, {}};
  pipeline.postproc = {config::ComponentSpec{"morphology", {}, {}}, config::ComponentSpec{"morphology", {}, {}}};
  const auto json = record::to_json(record::provenance_of(pipeline, catalog, "1.13.1", 2));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items())
    keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"nbs", "revision", "libtorch", "compiler", "processor", "threads", "device",
                                         "started", "plugins"});
  CHECK(json.at("libtorch") == "1.13.1");
  CHECK(json.at("threads") == 2);
  CHECK(json.at("device") == "cpu");
  CHECK(std::regex_match(json.at("nbs").get<std::string>(), std::regex(R"(\d+\.\d+\.\d+)")));
  CHECK(std::regex_match(json.at("started").get<std::string>(), std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
  CHECK_FALSE(json.at("compiler").get<std::string>().empty());
  CHECK_FALSE(json.at("processor").get<std::string>().empty());
  const auto& plugins = json.at("plugins");
  REQUIRE(plugins.size() == 4);
  CHECK(plugins.at(0).at("kind") == "sampler");
  CHECK(plugins.at(0).at("name") == "rl");
  CHECK(plugins.at(0).at("version") == "1.0");
  CHECK(plugins.at(0).at("file") == "librl.so");
  CHECK(plugins.at(0).at("sha256") == "aa");
  CHECK(plugins.at(1).at("kind") == "predictor");
  CHECK(plugins.at(3).at("sha256") == "dd");
}

TEST_CASE("the version text holds the version that provenance records, and the revision") {
  const auto json = record::to_json(record::provenance_of(test::small_pipeline("a"), {}, "2.1.0", 1));
  const auto text = record::version_text();
  CHECK(text.find(json.at("nbs").get<std::string>() + " (") == 0);
  const auto revision = json.at("revision").get<std::string>();
  CHECK(text.find(revision.empty() ? "no revision known" : revision) != std::string::npos);
  CHECK(json.at("plugins").empty());
}

TEST_CASE("a run's start is told in UTC, wherever the machine stands") {
  std::string started;
  {
    const test::Variable zone("TZ", "XXX-9");
    tzset();
    started = record::provenance_of(test::small_pipeline("a"), {}, "2.1.0", 1).started;
  }
  tzset();
  std::tm time{};
  std::istringstream(started) >> std::get_time(&time, "%Y-%m-%dT%H:%M:%SZ");
  CHECK(std::abs(std::difftime(timegm(&time), std::time(nullptr))) < 600);
}

TEST_CASE("a plugin that the catalog does not know is left out") {
  auto pipeline = test::small_pipeline("a");
  pipeline.sampler = config::ComponentSpec{"gone", {}, {}};
  CHECK(record::provenance_of(pipeline, {}, "2.1.0", 1).plugins.empty());
}

TEST_CASE("facts are what is known, by the file's own names") {
  record::Provenance provenance;
  CHECK(record::facts(provenance).empty());
  provenance.device = "cpu";
  provenance.threads = 2;
  provenance.nbs = "0.1.0";
  CHECK(record::facts(provenance) ==
        std::vector<std::pair<std::string, std::string>>{{"nbs", "0.1.0"}, {"threads", "2"}, {"device", "cpu"}});
}

TEST_CASE(
    "a plugin has changed if its library has another hash, or nothing is known of it; what is not used is not "
    "compared") {
  auto pipeline = test::small_pipeline("a");
  const auto component = [](const char* plugin, const char* hash) {
    config::ComponentSpec spec;
    spec.plugin = plugin;
    spec.hash = hash;
    return spec;
  };
  pipeline.sampler = component("rl", "aa");
  pipeline.predictor = component("dilated", "cc");
  pipeline.postproc.push_back(component("morphology", "dd"));
  pipeline.postproc.push_back(component("morphology", "ee"));
  record::Provenance run;
  run.plugins = {{"sampler", "rl", "1.0", "librl.so", "aa"},
                 {"predictor", "dilated", "1.1", "libd.so", "cc"},
                 {"postprocessor", "morphology", "1.0", "libm.so", "dd"},
                 {"postprocessor", "morphology", "1.0", "libm2.so", "ee"}};
  CHECK(record::changed_plugins(run, pipeline).empty());
  run.plugins[1].sha256 = "c0";
  run.plugins[3].sha256 = "e0";
  CHECK(
      record::changed_plugins(run, pipeline) ==
      std::vector<std::string>{
          "the predictor \"dilated\" was libd.so 1.1 with the SHA-256 c0 in the run, and is a library with cc now",
          "the postprocessor \"morphology\" was libm2.so 1.0 with the SHA-256 e0 in the run, and is a library with ee "
          "now"});
  pipeline.predictor.reset();
  pipeline.postproc.pop_back();
  CHECK(record::changed_plugins(run, pipeline).empty());
  run.plugins.clear();
  CHECK(record::changed_plugins(run, pipeline) ==
        std::vector<std::string>{"nothing is known of the library of the sampler \"rl\" in the run",
                                 "nothing is known of the library of the postprocessor \"morphology\" in the run"});
}
