// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/component_facts.h"

#include <doctest/doctest.h>

#include "environment.h"
#include "error_text.h"

using namespace nbs;
using doctest::Contains;
using Texts = std::vector<std::string>;

namespace {

// A worker that answers with `answer` and notes what it was asked in calls.txt.
std::string answering(const test::Scratch& scratch, const std::string& answer) {
  scratch.write("answer.json", answer);
  return "cat \"$2\" >> " + (scratch / "calls.txt").string() + "; echo >> " + (scratch / "calls.txt").string() +
         "; cat " + (scratch / "answer.json").string();
}

}  // namespace

TEST_CASE("components are made once, and again only when they were refused or something changed") {
  const test::Scratch scratch;
  const test::Variable cache("XDG_CACHE_HOME", (scratch / "cache").string());
  const std::string good = R"({"needs_profile": true, "learns": false, "refusals": []})";
  const std::string bad =
      R"({"needs_profile": false, "learns": true, "refusals": [{"section": "postproc", "index": 2, "reason": "bad"}]})";
  const test::FakeWorker worker(scratch, answering(scratch, "[" + good + ", " + bad + "]"));
  auto facts = run::component_facts({"seed = 1\n", "seed = 2\n"});
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].needs_profile);
  CHECK_FALSE(facts[0].learns);
  CHECK(facts[0].refusals.empty());
  CHECK_FALSE(facts[1].needs_profile);
  REQUIRE(facts[1].refusals.size() == 1);
  CHECK(facts[1].refusals[0].section == "postproc");
  CHECK(facts[1].refusals[0].index == 2);
  CHECK(facts[1].refusals[0].reason == "bad");
  CHECK(test::lines_of(scratch / "calls.txt") == Texts{R"(["seed = 1\n","seed = 2\n"])"});

  scratch.write("answer.json", "[" + bad + "]");
  facts = run::component_facts({"seed = 1\n", "seed = 2\n"});
  CHECK(test::lines_of(scratch / "calls.txt").back() == R"(["seed = 2\n"])");
  CHECK(facts[0].needs_profile);
  CHECK(facts[1].learns);
  run::component_facts({"seed = 1\n"});
  CHECK(test::lines_of(scratch / "calls.txt").size() == 2);

  std::filesystem::last_write_time(worker.program(),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  run::component_facts({"seed = 1\n"});
  CHECK(test::lines_of(scratch / "calls.txt").size() == 3);
  // A damaged cache is made again.
  scratch.write("answer.json", "[" + good + "]");
  for (const char* damage : {"{", "[]", "{\"x\": 3}", ""}) {
    scratch.write("cache/nbs/components.json", damage);
    CHECK(run::component_facts({"seed = 1\n"})[0].needs_profile);
  }
  CHECK(test::lines_of(scratch / "calls.txt").size() == 7);
}

TEST_CASE("a worker that fails or says something else is an error") {
  const test::Scratch scratch;
  const test::Variable cache("XDG_CACHE_HOME", (scratch / "cache").string());
  for (const char* answer : {"hello", "[]", "[{}]", "{}"}) {
    const test::FakeWorker worker(scratch, answering(scratch, answer));
    CHECK(test::error_text([] { run::component_facts({"seed = 1\n"}); }) ==
          Contains("the worker's answer about the components cannot be read"));
  }
  const test::FakeWorker worker(scratch, "exit 2");
  CHECK(test::error_text([] { run::component_facts({"seed = 1\n"}); }) == Contains("ended with status 2"));
}
