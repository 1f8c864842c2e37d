// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/diagnostics.h"

#include <limits>

#include <doctest/doctest.h>

#include "nbs/base/files.h"
#include "nbs/record/run_directory.h"

#include "error_text.h"
#include "full_diagnostics.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;
using record::diagnostics_from_json;
using test::full_diagnostics;
using Json = nlohmann::ordered_json;

namespace {

doctest::String diagnostics_refusal(const Json& json) {
  return test::error_text([&] { diagnostics_from_json(json); });
}

}  // namespace

TEST_CASE("what explains a run comes back from its JSON as it was") {
  const auto json = record::to_json(full_diagnostics());
  const auto again = diagnostics_from_json(Json::parse(json.dump()));
  CHECK(record::to_json(again).dump() == json.dump());
  // The comparison above would miss what to_json() leaves out.
  REQUIRE(again.labeled_profile.has_value());
  CHECK(again.labeled_profile->anomalous.pixels == 21);
  REQUIRE(again.labeled_profile->anomalous.maps.size() == 2);
  CHECK(again.labeled_profile->anomalous.maps[1].mean == 0.75);
  CHECK(again.labeled_profile->anomalous.maps[1].lower_quartile == 0.3);
  CHECK(again.labeled_profile->normal.maps[0].median == 0.02);
  CHECK(again.labeled_profile->normal.maps[0].upper_quartile == 0.03);
  CHECK(again.scored_profile->anomalous.pixels == 23);
  CHECK(again.scored_profile->normal.maps.empty());
  CHECK(again.sampled->side == 2);
  CHECK(again.sampled->learns);
  REQUIRE(again.sampled->phases.size() == 2);
  CHECK(again.sampled->phases[0].phase == record::SamplingPhase::cloning);
  CHECK(again.sampled->phases[0].iterations == 30);
  CHECK(again.sampled->phases[0].all.patches == 64);
  CHECK(again.sampled->phases[0].labeled.at(0).image == "bro<ken_001");
  CHECK(again.sampled->phases[0].labeled.at(0).cells == std::vector<double>{0.11, 0.12, 0.13, 0.9});
  CHECK(again.sampled->phases[1].all.cells == std::vector<double>{0.5, 0.6, 0.7, 0.8});
  REQUIRE(again.curve->points.size() == 3);
  CHECK(again.curve->points[0].threshold == 0.9);
  CHECK(again.curve->points[0].precision == 1);
  CHECK(again.curve->points[0].recall == 0.125);
  CHECK(again.curve->chosen.precision == 0.625);
  CHECK(again.curve->oracle.recall == 0.55);
}

TEST_CASE("a run without all of it has an empty account, and a run without a file has none") {
  CHECK(record::Diagnostics{}.empty());
  CHECK(record::to_json(record::Diagnostics{}).dump() == "{}");
  CHECK(diagnostics_from_json(Json::object()).empty());
  const test::Scratch scratch;
  const record::RunDirectory run(scratch.path());
  CHECK_FALSE(run.read_diagnostics().has_value());
  run.write_diagnostics(full_diagnostics());
  REQUIRE(run.read_diagnostics().has_value());
  CHECK(record::to_json(*run.read_diagnostics()).dump() == record::to_json(full_diagnostics()).dump());
}

TEST_CASE("numbers are kept with six digits, so that a file does not hang on the last bits of a sum") {
  auto diagnostics = full_diagnostics();
  diagnostics.curve->chosen.threshold = 1.0 / 3;
  CHECK(record::to_json(diagnostics)["precision_recall"]["at_threshold"]["threshold"] == 0.333333);
}

TEST_CASE("lists that do not fit each other, wrong types and missing keys are refused with their place") {
  const auto good = record::to_json(full_diagnostics());
  const auto without = [&](const char* pointer) {
    auto json = good;
    const Json::json_pointer at(pointer);
    json[at.parent_pointer()].erase(at.back());
    return diagnostics_refusal(json);
  };
  const auto with = [&](const char* pointer, const Json& value) {
    auto json = good;
    json[Json::json_pointer(pointer)] = value;
    return diagnostics_refusal(json);
  };
  for (const char* pointer :
       {"/labeled_profile/normal", "/scored_profile/anomalous/pixels", "/labeled_profile/normal/mean", "/sampled/side",
        "/sampled/learning_sampler", "/sampled/phases", "/sampled/phases/0/phase", "/sampled/phases/0/all_images",
        "/sampled/phases/0/labeled_images", "/sampled/phases/1/all_images/cells", "/precision_recall/recall",
        "/precision_recall/at_best_f1"}) {
    CAPTURE(pointer);
    CHECK(without(pointer) == Contains((std::string(pointer) + " is missing").c_str()));
  }
  CHECK(with("/labeled_profile/normal/median", {1}) ==
        Contains("/labeled_profile/normal/median has 1 numbers, but /labeled_profile/normal/mean has 2"));
  CHECK(with("/precision_recall/recall", Json::array()) == Contains("/precision_recall/recall has 0 numbers"));
  CHECK(with("/sampled/side", 3) == Contains("has 4 numbers, but an image is divided into 3 x 3"));
  CHECK(with("/sampled/side", 0) == Contains("/sampled/side is 0, but a number from 1 to 64 is wanted"));
  CHECK(with("/sampled/side", std::int64_t{1} << 40) == Contains("a number from 1 to 64 is wanted"));
  CHECK(with("/sampled/phases/0/phase", "later") == Contains("one of \"cloning\", \"after_cloning\""));
  CHECK(with("/sampled/phases/0/all_images/cells/2", nullptr) == Contains("/cells/2 is null, but a number is wanted"));
  CHECK(with("/precision_recall", 3) == Contains("/precision_recall is 3, but an object is wanted"));
  CHECK(diagnostics_refusal(Json::array()) == Contains("the whole of it is a list"));
}
