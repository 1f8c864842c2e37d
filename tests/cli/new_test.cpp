// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "nbs/base/files.h"

#include "program.h"

// `nbs new`. That what it writes builds and runs is the matter of tests/package.

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;

}  // namespace

TEST_CASE("a plugin of every kind is written whole, with its own names and no mark of the template left") {
  const Program nbs;
  for (const std::string kind : {"sampler", "autoencoder", "predictor", "postprocessor"}) {
    CAPTURE(kind);
    const auto name = "my_" + kind;
    const auto ended = nbs({"new", kind, name});
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    CHECK(text(ended.output) == Contains((name + ": read its README.md").c_str()));
    const auto folder = nbs.folder() / name;
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_directory()) continue;
      ++files;
      CAPTURE(entry.path());
      CHECK(entry.path().string().find('@') == std::string::npos);
      // actions/checkout@v4 is the one that stays.
      auto content = nbs::read_file(entry.path());
      if (const auto at = content.find("checkout@v"); at != std::string::npos) content.erase(at, 10);
      CHECK(content.find('@') == std::string::npos);
    }
    CHECK(files == 10);
    CHECK(text(nbs::read_file(folder / (name + ".cpp"))) == Contains(("NBS_PLUGIN(\"" + name + "\"").c_str()));
    CHECK(text(nbs::read_file(folder / "README.md")) == Contains(("build/libnbs-my-" + kind + ".so").c_str()));
    CHECK((fs::status(folder / "check.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
    // The kind is not said twice.
    CHECK(nbs::read_file(folder / (name + ".h")).find(std::string("class My") + char(kind[0] - 32) + kind.substr(1)) !=
          std::string::npos);
  }
}

TEST_CASE("names that are taken, by a plugin of whatever kind, by CMake or by a folder, are refused") {
  const Program nbs;
  for (const auto& [name, reason] : {std::pair<std::string, std::string>{"rl", "there is a sampler \"rl\" already"},
                                     {"conv", "there is an autoencoder \"conv\" already"},
                                     {"dilated", "there is a predictor \"dilated\" already"},
                                     {"test", "CMake keeps the name \"test\" for itself"},
                                     {"My Sampler", "cannot name a plugin"},
                                     {"", "cannot name a plugin"},
                                     {"../up", "cannot name a plugin"},
                                     {std::string(64, 'a'), "63 are the most"}}) {
    CAPTURE(name);
    const auto ended = nbs({"new", "sampler", name});
    CHECK(ended.status == 1);
    CHECK(text(ended.errors) == Contains(reason.c_str()));
    CHECK_FALSE((!name.empty() && fs::exists(nbs.folder() / name)));
  }
  nbs.folder().write("mine/notes.txt", "kept");
  const auto ended = nbs({"new", "predictor", "mine"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("exists already; choose another name"));
  CHECK(nbs::read_file(nbs.folder() / "mine" / "notes.txt") == "kept");
}

TEST_CASE("a plugin that cannot be written leaves nothing behind") {
  const Program nbs;
  // No file of more than 512 bytes can be written, and the README has more.
  const auto ended = nbs({"new", "sampler", "mine"}, "ulimit -f 1; trap '' XFSZ;");
  CHECK(ended.status != 0);
  CHECK_FALSE(fs::exists(nbs.folder() / "mine"));
}
