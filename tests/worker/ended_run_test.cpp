// SPDX-License-Identifier: Apache-2.0
#include "ended_run.h"

#include <doctest/doctest.h>

#include "error_text.h"
#include "scratch.h"

using doctest::Contains;
using nbs::OptionValues;
using nbs::Value;
using nbs::test::error_text;
using nbs::worker::read_ended_run;
using nbs::worker::tuned_values;

namespace {

const std::string kHash(64, 'a');
const std::string kGood = R"({"ending": "finished", "best": {"iteration": 3}, "threshold": 0.25,
  "model": {"predictor.safetensors": ")" +
                          kHash + "\"}}";

}  // namespace

TEST_CASE("of a good result the threshold, the model's hashes and tuned options are read") {
  const nbs::test::Scratch scratch;
  scratch.write("result.json", kGood);
  const auto result = read_ended_run(scratch.path());
  CHECK(result.threshold == 0.25);
  CHECK(result.model == std::map<std::string, std::string>{{"predictor.safetensors", kHash}});
  CHECK_FALSE(result.tuned_postproc.has_value());
}

TEST_CASE("a result that does not serve its model is a sentence with the file, what is wrong and what to do") {
  const nbs::test::Scratch scratch;
  const auto file = scratch / "result.json";
  const auto refusal = [&](const std::string& text) {
    scratch.write("result.json", text);
    return error_text([&] { read_ended_run(scratch.path()); });
  };
  const auto damaged = [&](const std::string& reason) {
    return nbs::test::text(file.string() + " is damaged: " + reason + "; copy the run's folder again, or run it again");
  };
  REQUIRE(refusal(kGood) == "no error");
  CHECK(refusal("{") == damaged("it is no JSON"));
  CHECK(refusal("{}") == damaged("/ending is missing"));
  CHECK(refusal(R"({"ending": 5})") == damaged("/ending is 5, but a text is wanted"));
  CHECK(refusal(R"({"ending": "interrupted"})") == Contains("ended before any profile was full"));
  CHECK(refusal(R"({"ending": "diverged"})") == Contains("diverged before there was a checkpoint worth keeping"));
  CHECK(refusal(R"({"ending": "finished", "best": {}})") == damaged("it has no threshold"));
  for (const char* threshold : {"-0.1", "1.5", "1e300"})
    CHECK(refusal(std::string(R"({"ending": "finished", "threshold": )") + threshold + "}") ==
          Contains("but a probability from 0 to 1 is wanted"));
  CHECK(refusal(R"({"ending": "finished", "threshold": "0.5"})") ==
        damaged("/threshold is \"0.5\", but a number is wanted"));
  const std::string start = R"({"ending": "finished", "threshold": 0.5)";
  CHECK(refusal(start + "}") == damaged("it names no files of a model"));
  CHECK(refusal(start + R"(, "model": {"predictor.safetensors": "0xyz"}})") ==
        damaged("/model/predictor.safetensors is \"0xyz\", but a SHA-256 of 64 hexadecimal digits is wanted"));
}

TEST_CASE("no result, and a model of an earlier version, are told from damage") {
  const nbs::test::Scratch scratch;
  CHECK(error_text([&] { read_ended_run(scratch.path()); }) == Contains("holds no result.json"));
  scratch.write("result.json", R"({"ending": "finished", "threshold": 0.5})");
  scratch.write("model/predictor.pt", "PK");
  CHECK(error_text([&] { read_ended_run(scratch.path()); }) ==
        nbs::test::text("the model " + (scratch / "model" / "predictor.pt").string() +
                        " was made by an earlier version of nbs, whose files can run code when they are loaded, so it "
                        "is not read; run " +
                        (scratch / "resolved.toml").string() + " again"));
}

TEST_CASE("tuned options come back as they were, and only if each is there and of its type") {
  nbs::config::ComponentSpec spec;
  spec.plugin = "smooth";
  spec.values = {{"times", std::int64_t{3}},
                 {"weight", 0.5},
                 {"both", true},
                 {"rule", std::string("a")},
                 {"sizes", std::vector<std::int64_t>{1, 2}},
                 {"shares", std::vector<double>{0.5}}};
  const std::vector<nbs::config::ComponentSpec> chain = {spec};
  CHECK(tuned_values({spec.values}, chain) == std::vector<OptionValues>{spec.values});
  const auto with = [&](const char* name, const Value& value) {
    auto changed = spec.values;
    for (auto& [own, held] : changed) {
      if (own == name) held = value;
    }
    return error_text([&] { tuned_values({changed}, chain); });
  };
  REQUIRE(with("weight", std::int64_t{2}) == "no error");
  REQUIRE(with("shares", std::vector<std::int64_t>{2}) == "no error");
  CHECK(with("times", 1.5) ==
        "the tuned options of smooth in the run's result have times = 1.5, which is of another type; copy the run's "
        "folder again, or run it again");
  CHECK(with("times", true) == Contains("times = true"));
  CHECK(with("weight", std::string("heavy")) == Contains("weight = \"heavy\""));
  CHECK(with("both", std::int64_t{1}) == Contains("both = 1"));
  CHECK(with("sizes", std::vector<double>{1.5}) == Contains("sizes = [1.5]"));
  CHECK(with("shares", 0.5) == Contains("shares = 0.5"));
  auto changed = spec.values;
  changed.pop_back();
  CHECK(error_text([&] { tuned_values({changed}, chain); }) == Contains("are 5, but 6 are wanted"));
  changed.emplace_back("booth", 0.5);
  CHECK(error_text([&] { tuned_values({changed}, chain); }) == Contains("lack shares"));
  CHECK(error_text([&] { tuned_values({}, chain); }) == Contains("of 0 postprocessors, but the pipeline has 1"));
}
