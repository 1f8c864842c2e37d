// SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <doctest/doctest.h>

#include "error_text.h"

using nbs::test::error_text;
using nbs::worker::Arguments;

TEST_CASE("after -- every word is plain, and the word after a name is its value whatever it looks like") {
  const Arguments arguments({"--out", "--masks", "--size", "--", "--", "--run", "--weird.png", "--", "--out"},
                            {"out", "size"});
  CHECK(arguments.get("out", "") == "--masks");
  CHECK(arguments.get("size", "") == "--");
  CHECK(arguments.plain() == std::vector<std::string>{"--run", "--weird.png", "--", "--out"});
  const Arguments short_form({"run/resolved.toml", "--out", "folder"});
  CHECK(short_form.need_plain(0, "RESOLVED") == "run/resolved.toml");
  CHECK(short_form.need("out") == "folder");
  const Arguments leading({"--x/resolved.toml", "--out", "--x"}, {}, 1);
  CHECK(leading.need_plain(0, "RESOLVED") == "--x/resolved.toml");
  CHECK(leading.need("out") == "--x");
}

TEST_CASE("an option that a command does not have, lacks its value or comes twice is refused") {
  CHECK(error_text([] {
          Arguments({"--weird.png", "x"}, {"out"});
        }) == "the worker's command has no option --weird.png; install nbs and nbs-worker of one version");
  CHECK(error_text([] { Arguments({"run", "--out"}, {"out"}); }) == "the argument --out lacks its value");
  CHECK(error_text([] { Arguments({"--out", "a", "--out", "b"}); }) == "the argument --out is given twice");
  CHECK(error_text([] {
          Arguments({"--out", "a", "image.png"});
        }) == "the word \"image.png\" comes after options but not after \"--\"");
}
