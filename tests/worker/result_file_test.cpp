// SPDX-License-Identifier: Apache-2.0
#include "result_file.h"

#include <doctest/doctest.h>

#include "error_text.h"
#include "scratch.h"

using doctest::Contains;
using nbs::OptionValues;
using nbs::test::error_text;
using nbs::worker::read_result;
using nbs::worker::values_from_json;
using Json = nlohmann::ordered_json;

namespace {

const std::string kHash(64, 'a');
const std::string kGood = R"({"ending": "finished", "best": {"iteration": 3}, "threshold": 0.25,
  "model": {"predictor.safetensors": ")" +
                          kHash + "\"}}";

}  // namespace

TEST_CASE("of a good result the threshold, the model's hashes and tuned options are read") {
  const nbs::test::Scratch scratch;
  scratch.write("result.json", kGood);
  const auto result = read_result(scratch.path());
  CHECK(result.threshold == 0.25);
  CHECK(result.model == std::map<std::string, std::string>{{"predictor.safetensors", kHash}});
  CHECK(result.tuned_postproc.is_null());
}

TEST_CASE("a damaged result is a sentence with the file, what is wrong and what to do") {
  const nbs::test::Scratch scratch;
  const auto file = scratch / "result.json";
  const auto refusal = [&](const std::string& text) {
    scratch.write("result.json", text);
    return error_text([&] { read_result(scratch.path()); });
  };
  const auto damaged = [&](const std::string& reason) {
    return nbs::test::text(file.string() + " is damaged: " + reason + "; copy the run's folder again, or run it again");
  };
  REQUIRE(refusal(kGood) == "no error");
  for (const char* text : {"", "{", "nonsense", "{\"ending\": 1e999}", "{\"ending\": \"\xFF\"}"})
    CHECK(refusal(text) == damaged("it is no JSON"));
  for (std::size_t size = 0; size < kGood.size(); ++size)
    CHECK(refusal(kGood.substr(0, size)) == damaged("it is no JSON"));
  CHECK(refusal(std::string(1000000, '[') + std::string(1000000, ']')) ==
        damaged("it is a list, but an object is wanted"));
  CHECK(refusal("3") == damaged("it is 3, but an object is wanted"));
  CHECK(refusal("{}") == damaged("it does not say how the run ended"));
  CHECK(refusal(R"({"ending": 5})") == damaged("it does not say how the run ended"));
  CHECK(refusal(R"({"ending": "interrupted"})") == Contains("ended before any profile was full"));
  CHECK(refusal(R"({"ending": "diverged"})") == Contains("diverged before there was a moment worth keeping"));
  CHECK(refusal(R"({"ending": "finished", "best": {}})") == damaged("it has no \"threshold\""));
  for (const char* threshold : {"null", "\"0.5\"", "-0.1", "1.5", "1e300", "[0.5]", "true"}) {
    const std::string shown = threshold[0] == '[' ? "a list" : std::string(threshold) == "1e300" ? "1e+300" : threshold;
    CHECK(refusal(std::string(R"({"ending": "finished", "threshold": )") + threshold + "}") ==
          damaged("\"threshold\" is " + shown + ", but a probability from 0 to 1 is wanted"));
  }
  const std::string start = R"({"ending": "finished", "threshold": 0.5)";
  CHECK(refusal(start + "}") == damaged("it names no files of a model under \"model\""));
  CHECK(refusal(start + R"(, "model": 7})") == damaged("\"model\" is 7, but an object is wanted"));
  CHECK(refusal(start + R"(, "model": {"predictor.safetensors": "0xyz"}})") ==
        damaged("the SHA-256 of \"predictor.safetensors\" is \"0xyz\", which is none"));
  CHECK(refusal(kGood.substr(0, kGood.size() - 1) + R"(, "tuned_postproc": {}})") ==
        damaged("\"tuned_postproc\" is an object, but a list is wanted"));
}

TEST_CASE("no result, and a model of an earlier version, are told from damage") {
  const nbs::test::Scratch scratch;
  CHECK(error_text([&] { read_result(scratch.path()); }) == Contains("holds no result.json"));
  scratch.write("result.json", R"({"ending": "finished", "threshold": 0.5})");
  scratch.write("model/predictor.pt", "PK");
  CHECK(error_text([&] { read_result(scratch.path()); }) ==
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
  const auto good = nbs::worker::to_json({spec.values});
  auto values = values_from_json(good, chain);
  CHECK(values == std::vector<OptionValues>{spec.values});
  const auto with = [&](const char* name, const Json& value) {
    auto changed = good;
    changed[0][name] = value;
    return error_text([&] { values_from_json(changed, chain); });
  };
  REQUIRE(with("weight", 2) == "no error");
  CHECK(with("times", 1.5) ==
        "the tuned options of smooth in result.json have times = 1.5, which is of another type; "
        "copy the run's folder again, or run it again");
  CHECK(with("times", true) == Contains("times = true"));
  CHECK(with("times", 18446744073709551615ULL) == Contains("of another type"));
  CHECK(with("weight", "heavy") == Contains("weight = \"heavy\""));
  CHECK(with("both", 1) == Contains("both = 1"));
  CHECK(with("rule", nullptr) == Contains("rule = null"));
  CHECK(with("sizes", {1.5}) == Contains("sizes = a list"));
  CHECK(with("shares", 0.5) == Contains("shares = 0.5"));
  CHECK(with("other", 0.5) == Contains("are an object, but 6 options are wanted"));
  auto renamed = good;
  renamed[0].erase("both");
  renamed[0]["booth"] = true;
  CHECK(error_text([&] { values_from_json(renamed, chain); }) == Contains("lack both"));
  CHECK(error_text([&] { values_from_json(Json::array(), chain); }) ==
        Contains("of 0 postprocessors, but the pipeline has 1"));
  CHECK(error_text([&] { values_from_json(Json::array({5}), chain); }) == Contains("are 5, but 6 options"));
}
