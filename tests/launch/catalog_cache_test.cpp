// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/catalog_cache.h"

#include <chrono>

#include <doctest/doctest.h>

#include "error_text.h"
#include "run_environment.h"

using namespace nbs;
using doctest::Contains;
using Folders = std::vector<std::filesystem::path>;

namespace {

// A worker that describes one plugin whose library is FILE, and notes each call with its arguments in calls.txt.
std::string describing_script(const test::Scratch& scratch) {
  host::Catalog catalog;
  host::PluginDescription plugin;
  plugin.name = "toy";
  plugin.file = "/plugins/toy.so";
  plugin.version = "1.2";
  plugin.hash = "00ff";
  catalog.plugins.push_back(plugin);
  scratch.write("catalog.json", host::to_json(catalog).dump());
  return "echo \"$@\" >> " + (scratch / "calls.txt").string() + "; cat " + (scratch / "catalog.json").string();
}

}  // namespace

TEST_CASE("plugins are described once, and again only when a library, a folder or the worker changes") {
  const test::Scratch scratch;
  const test::Variable cache("XDG_CACHE_HOME", (scratch / "cache").string());
  const test::FakeWorker worker(scratch, describing_script(scratch));
  scratch.write("plugins/a.so", "one");
  const Folders folders = {scratch / "plugins"};
  const auto calls = [&] { return test::lines_of(scratch / "calls.txt").size(); };

  const auto described = launch::plugin_catalog(folders);
  CHECK(test::lines_of(scratch / "calls.txt") ==
        std::vector<std::string>{"describe " + (scratch / "plugins").string()});
  const auto* const plugin = described.find(Kind::sampler, "toy");
  REQUIRE(plugin != nullptr);
  CHECK(plugin->version == "1.2");

  const auto cached = launch::plugin_catalog(folders);
  CHECK(calls() == 1);
  REQUIRE(cached.find(Kind::sampler, "toy") != nullptr);
  CHECK(cached.find(Kind::sampler, "toy")->hash == "00ff");

  scratch.write("plugins/notes.txt", "no library");
  launch::plugin_catalog(folders);
  CHECK(calls() == 1);
  scratch.write("plugins/a.so", "longer");
  launch::plugin_catalog(folders);
  CHECK(calls() == 2);
  // Same size, another time.
  std::filesystem::last_write_time(scratch / "plugins" / "a.so",
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  launch::plugin_catalog(folders);
  CHECK(calls() == 3);
  scratch.write("plugins/b.so", "new");
  launch::plugin_catalog(folders);
  CHECK(calls() == 4);
  launch::plugin_catalog({scratch / "plugins", scratch / "more"});
  CHECK(calls() == 5);
  std::filesystem::last_write_time(worker.program(),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(2));
  launch::plugin_catalog(folders);
  CHECK(calls() == 6);
  launch::plugin_catalog(folders);
  CHECK(calls() == 6);
}

TEST_CASE("a damaged cache is made again; without a place for one everything still works") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, describing_script(scratch));
  {
    const test::Variable cache("XDG_CACHE_HOME", (scratch / "cache").string());
    launch::plugin_catalog({scratch.path()});
    for (const char* damage : {"{\"key\":", "[]", "{\"key\": \"another\", \"catalog\": {}}", ""}) {
      for (const auto& name : test::entries_of(scratch / "cache" / "nbs"))
        scratch.write("cache/nbs/" + name, damage);
      CHECK(launch::plugin_catalog({scratch.path()}).find(Kind::sampler, "toy") != nullptr);
    }
    CHECK(test::lines_of(scratch / "calls.txt").size() == 5);
  }
  const test::Variable nowhere("XDG_CACHE_HOME", "/proc/nbs");
  CHECK(launch::plugin_catalog({scratch.path()}).find(Kind::sampler, "toy") != nullptr);
}

TEST_CASE("a worker that fails or says something else is an error, and nothing is kept of it") {
  const test::Scratch scratch;
  const test::Variable cache("XDG_CACHE_HOME", (scratch / "cache").string());
  {
    const test::FakeWorker worker(scratch, "echo hello");
    CHECK(test::error_text([&] { launch::plugin_catalog({scratch.path()}); }) ==
          Contains("description of the plugins cannot be read"));
  }
  {
    const test::FakeWorker worker(scratch, "exit 2");
    CHECK(test::error_text([&] { launch::plugin_catalog({scratch.path()}); }) == Contains("ended with status 2"));
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "cache" / "nbs"));
}

TEST_CASE("the key lists libraries in a fixed order, with the worker in front") {
  const test::Scratch scratch;
  scratch.write("b.so", "12");
  scratch.write("a.so", "1");
  const auto key = launch::catalog_key({scratch.path()}, scratch / "worker");
  const auto a = key.find("a.so 1 ");
  const auto b = key.find("b.so 2 ");
  CHECK(key.find("worker") == scratch.path().string().size() + 1);
  CHECK(a != std::string::npos);
  CHECK(b != std::string::npos);
  CHECK(a < b);
  CHECK(launch::catalog_key({}, scratch / "worker") != key);
}

TEST_CASE("a description with a refusal is not kept: what was missing may be there the next time") {
  const test::Scratch scratch;
  const test::Variable cache("XDG_CACHE_HOME", (scratch / "cache").string());
  const test::FakeWorker worker(scratch, describing_script(scratch));
  auto refusing = nlohmann::ordered_json::parse(nbs::read_file(scratch / "catalog.json"));
  const auto good = refusing;
  refusing["refusals"].push_back({{"file", "/plugins/b.so"}, {"reason", "/plugins/b.so: it needs libcuda"}});
  scratch.write("catalog.json", refusing.dump());
  const auto calls = [&] { return test::lines_of(scratch / "calls.txt").size(); };
  for (std::size_t i = 1; i <= 2; ++i) {
    const auto catalog = launch::plugin_catalog({scratch.path()});
    CHECK(catalog.refusals.size() == 1);
    CHECK(catalog.find(Kind::sampler, "toy") != nullptr);
    CHECK(calls() == i);
  }
  scratch.write("catalog.json", good.dump());  // the library that it needs was installed
  CHECK(launch::plugin_catalog({scratch.path()}).refusals.empty());
  CHECK(calls() == 3);
  CHECK(launch::plugin_catalog({scratch.path()}).refusals.empty());
  CHECK(calls() == 3);
}
