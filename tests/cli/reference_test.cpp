// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"

#include "program.h"

// The reference that `nbs reference` writes, and the one that is kept in docs/reference.

namespace {

namespace fs = std::filesystem;
using nbs::test::Program;
using nbs::test::text;

std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder).string()] = nbs::read_file(entry.path());
  }
  return files;
}

}  // namespace

TEST_CASE("docs/reference is what nbs says of itself today") {
  const Program nbs;
  REQUIRE(nbs({"reference", "--out", "reference"}).status == 0);
  const auto now = files_in(nbs.folder() / "reference");
  const auto kept = files_in(fs::path(NBS_SOURCE_DIR) / "docs" / "reference");
  INFO("write it anew: build/bin/nbs reference --out docs/reference");
  for (const auto& [name, content] : now) {
    CAPTURE(name);
    REQUIRE(kept.count(name) == 1);
    CHECK((kept.at(name) == content));
  }
  for (const auto& [name, content] : kept) {
    CAPTURE(name);
    CHECK(now.count(name) == 1);
  }
}

TEST_CASE("every plugin has a page with all of its options, and every section and command is there") {
  const Program nbs;
  const auto plugins = nlohmann::json::parse(nbs({"plugins", "--json"}).output).at("plugins");
  REQUIRE(nbs({"reference", "--out", "reference"}).status == 0);
  REQUIRE(nbs({"reference", "--format", "man", "--out", "man"}).status == 0);
  CHECK(plugins.size() >= 10);
  for (const auto& plugin : plugins) {
    const auto name = "nbs-" + plugin.at("kind").get<std::string>() + "-" + plugin.at("name").get<std::string>();
    CAPTURE(name);
    const auto page = nbs::read_file(nbs.folder() / "reference" / (name + ".md"));
    for (const auto& option : plugin.at("options")) {
      CAPTURE(option);
      CHECK(page.find("| `" + option.at("name").get<std::string>() + "` | ") != std::string::npos);
    }
    CHECK(fs::exists(nbs.folder() / "man" / "man7" / (name + ".7")));
  }
  const auto pipeline = nbs::read_file(nbs.folder() / "reference" / "nbs-pipeline.md");
  const auto sections = nlohmann::json::parse(nbs({"options", "--json"}).output);
  for (const auto& [section, options] : sections.items()) {
    CAPTURE(section);
    CHECK(pipeline.find("\n## [" + section + "]\n") != std::string::npos);
    for (const auto& option : options)
      CHECK(pipeline.find("| `" + option.at("name").get<std::string>() + "` | ") != std::string::npos);
  }
  const auto commands = nbs::read_file(nbs.folder() / "man" / "man1" / "nbs.1");
  for (const std::string command : {"RUN", "CHECK", "BATCH", "PREDICT", "NEW SAMPLER", "TEST\\-PLUGIN", "REFERENCE"}) {
    CAPTURE(command);
    CHECK(commands.find("\n.SH NBS " + command + "\n") != std::string::npos);
  }
  CHECK(commands.find("NBS COMPLETE") == std::string::npos);
}

TEST_CASE("the pages of the manual are in order for troff") {
  if (std::system("command -v groff >/dev/null") != 0) {
    MESSAGE("skipped: there is no groff here");
    return;
  }
  const Program nbs;
  REQUIRE(nbs({"reference", "--format", "man", "--out", "man"}).status == 0);
  std::size_t pages = 0;
  for (const auto& entry : fs::recursive_directory_iterator(nbs.folder() / "man")) {
    if (!entry.is_regular_file()) continue;
    ++pages;
    const auto said = nbs.folder() / "said.txt";
    const auto line = "groff -man -ww -Tutf8 '" + entry.path().string() + "' 2>'" + said.string() + "' >'" +
                      (nbs.folder() / "page.txt").string() + "'";
    CHECK(std::system(line.c_str()) == 0);
    CHECK(nbs::read_file(said) == "");
    CHECK(nbs::read_file(nbs.folder() / "page.txt").size() > 200);
  }
  CHECK(pages >= 12);
}

TEST_CASE("single plugins are described, and an unknown one is an error with near names") {
  const Program nbs;
  const auto one = nbs({"reference", "rl"});
  CHECK(one.status == 0);
  CHECK(text(one.output) == doctest::Contains("# nbs-sampler-rl: "));
  CHECK(one.output.find("nbs-pipeline") == std::string::npos);
  const auto none = nbs({"reference", "randon"});
  CHECK(none.status == 1);
  CHECK(text(none.errors) == doctest::Contains("there is no plugin \"randon\"; did you mean \"random\"?"));
}
