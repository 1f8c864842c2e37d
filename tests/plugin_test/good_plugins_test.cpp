// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "trial.h"

namespace {

namespace fs = std::filesystem;
using nbs::test::Json;
using nbs::test::Program;

// All libraries of a folder at level 10, with as few calls as tell a leak. Every check must have been made.
void require_all_pass(const std::string& folder, std::size_t wanted) {
  const Program nbs;
  std::vector<std::string> words = {"test-plugin", "--json", "--level", "10", "--seconds", "60", "--calls", "60"};
  for (const auto& entry : fs::directory_iterator(folder))
    words.push_back(entry.path().string());
  const auto ended = nbs(words);
  INFO(ended.errors);
  CHECK(ended.status == 0);
  const auto report = Json::parse(ended.output);
  CHECK(report.at("passed") == true);
  std::size_t plugins = 0;
  for (const auto& library : report.at("libraries")) {
    CAPTURE(library.at("file").get<std::string>());
    CHECK(library.at("refusal") == "");
    for (const auto& plugin : library.at("plugins")) {
      ++plugins;
      CAPTURE(plugin.at("name").get<std::string>());
      CHECK(nbs::test::failed_checks(plugin).empty());
      for (const auto& check : plugin.at("checks")) {
        CAPTURE(check.dump());
        CHECK(check.at("verdict") != "not tried");
        CHECK(check.at("tried") != "");
      }
      CHECK(plugin.at("checks").back().at("check") == "training");
    }
  }
  CHECK(plugins == wanted);
}

}  // namespace

TEST_CASE("all built-in plugins pass level 10") {
  require_all_pass(NBS_BUILT_PLUGINS, 11);
}

TEST_CASE("all examples pass level 10") {
  require_all_pass(NBS_EXAMPLES, 6);
}

TEST_CASE("examples are short, say what they are, and come with a pipeline that is right") {
  const Program nbs;
  const auto folder = fs::path(NBS_SOURCE_DIR) / "examples";
  std::size_t sources = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    CAPTURE(entry.path().string());
    if (entry.path().extension() == ".cpp") {
      ++sources;
      CHECK(nbs::test::lines_of(entry.path()).size() < 120);
      CHECK(fs::exists(entry.path().parent_path() / "README.md"));
    }
    if (entry.path().extension() == ".toml")
      CHECK(nbs({"check", entry.path().string(), "--plugin-path", NBS_EXAMPLES}).status == 0);
  }
  CHECK(sources == 7);
}
