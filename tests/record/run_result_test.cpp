// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/run_result.h"

#include <filesystem>
#include <limits>

#include <doctest/doctest.h>

#include "nbs/base/files.h"
#include "nbs/record/run_directory.h"

#include "error_text.h"
#include "full_result.h"

using namespace nbs;
using doctest::Contains;
using record::run_result_from_json;
using record::RunResult;
using test::full_result;
using Json = nlohmann::ordered_json;

namespace {

doctest::String refusal(const Json& json) {
  return test::error_text([&] { run_result_from_json(json); });
}

}  // namespace

TEST_CASE("a result comes back from its JSON as it was") {
  const auto json = record::to_json(full_result());
  const auto again = run_result_from_json(Json::parse(json.dump()));
  CHECK(record::to_json(again).dump() == json.dump());
  // The comparison above would miss what to_json() leaves out.
  CHECK(again.stop_reason == record::StopReason::diverged);
  CHECK(again.experiment.seed == 3);
  CHECK(again.experiment.split_seed == 1);
  CHECK(again.experiment.labeled == 5);
  CHECK(again.explanation == "the loss is nan");
  CHECK(again.checkpoint->l_pred == 0.125);
  CHECK(again.model == full_result().model);
  CHECK(again.tuned_postproc == full_result().tuned_postproc);
  CHECK(again.threshold_rule == config::ThresholdRule::normal_area);
  REQUIRE(again.expected.has_value());
  CHECK(again.expected->precision == 0.19);
  CHECK(again.expected->f1_low == 0.22);
  CHECK(again.expected->f1_high == 0.23);
  REQUIRE(again.expected->by_image.size() == 1);
  CHECK(again.expected->by_image[0].id == "broken_001");
  CHECK(again.expected->by_image[0].true_positives == 17);
  CHECK(again.seconds->cross_fit == 4.5);
  CHECK_FALSE(again.scores->aupro.has_value());
  CHECK(again.scores->iou == 0.21);
  CHECK(again.scores->f1_tolerance_2 == 0.22);
  CHECK(again.scores->f1_tolerance_5 == 0.23);
  CHECK(again.scores->by_type[0].seen == true);
  CHECK(again.scores->by_image[0].true_positives == 15);
  CHECK(again.scores->before_postproc->threshold == 0.9);
  CHECK(again.scores->before_postproc->f1_tolerance_2 == 0.24);
  CHECK(again.scores->before_postproc->unseen_types->true_positives == 14);
  CHECK(again.missing_pictures->reasons == full_result().missing_pictures->reasons);
  CHECK(again.seconds->total == 7);
}

TEST_CASE("keys stand in the order of the documentation; what is not there is left out or null") {
  const auto keys = [](const Json& json) {
    std::string text;
    for (const auto& [key, value] : json.items())
      text += (text.empty() ? "" : " ") + key;
    return text;
  };
  const auto json = record::to_json(full_result());
  CHECK(
      keys(json) ==
      "format name experiment stop_reason explanation iterations best model model_from images tuned_postproc tuning_f1 "
      "threshold_rule "
      "threshold expected scores missing_pictures seconds peak_memory_mib");
  CHECK(keys(json.at("scores")) ==
        "threshold precision recall f1 true_positives false_positives false_negatives iou f1_tolerance_2 "
        "f1_tolerance_5 mean_image_f1 auroc average_precision aupro image_auroc oracle by_type seen_types unseen_types "
        "by_image before_postproc");
  CHECK(keys(json.at("scores").at("by_image").at(0)) ==
        "id type f1 precision recall true_positives false_positives false_negatives");
  CHECK(json.at("format") == 2);
  CHECK(json.at("scores").at("aupro").is_null());
  const auto least = record::to_json(RunResult());
  CHECK(keys(least) == "format name experiment stop_reason iterations");
  // Without the keys that nothing else writes, an older reader still finds what it wants.
  RunResult unscored;
  unscored.threshold = 0.5;
  CHECK(record::to_json(unscored).at("scores").is_null());
  CHECK_FALSE(run_result_from_json(record::to_json(unscored)).scores.has_value());
  unscored.checkpoint = {3, std::numeric_limits<double>::quiet_NaN()};
  CHECK_FALSE(record::to_json(unscored).at("best").contains("l_pred"));
}

TEST_CASE("every result that is kept in the sources is read, with all that it says") {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(NBS_SOURCE_DIR "/pipelines/results")) {
    if (entry.path().filename() != "result.json") continue;
    CAPTURE(entry.path().string());
    auto old = Json::parse(read_file(entry.path()));
    const auto result = record::read_result_file(entry.path());
    CHECK(result.finished());
    CHECK(record::any_score(result.scores.value()));
    // Written again it holds the same numbers under the same keys, but for what has another name now. The checksum is
    // of the file's text: read_result_file() has compared it.
    auto written = record::to_json(result);
    for (auto* json : {&old, &written}) {
      for (const char* left_out : {"format", "ending", "stop_reason", "checksum"})
        json->erase(left_out);
    }
    CHECK(written.dump() == old.dump());
    ++count;
  }
  CHECK(count >= 39);
}

TEST_CASE("a result of the first form needs nothing but how it ended") {
  const auto result =
      run_result_from_json(Json::parse(R"({"ending": "patience", "scores": {"f1": 0.5, "aupro": null}})"));
  CHECK(result.stop_reason == record::StopReason::patience);
  CHECK(result.scores->f1 == 0.5);
  CHECK_FALSE(result.scores->aupro.has_value());
  CHECK_FALSE(result.scores->true_positives.has_value());
  CHECK_FALSE(result.experiment.seed.has_value());
  CHECK(refusal(Json::object()) == "/ending is missing");
  CHECK(refusal(Json::parse(R"({"ending": "finished", "stop_reason": 5})")) == "no error");
}

TEST_CASE("a result of today's form is complete, or the missing key is named") {
  const auto without = [](const std::string& pointer) {
    auto json = record::to_json(full_result());
    const Json::json_pointer at(pointer);
    json.at(at.parent_pointer()).erase(at.back());
    return refusal(json);
  };
  for (const char* pointer :
       {"/name", "/experiment", "/experiment/split_seed", "/stop_reason", "/iterations", "/best/iteration",
        "/scores/f1", "/scores/aupro", "/scores/by_type/0/images", "/scores/by_image/0/id",
        "/scores/before_postproc/true_positives", "/expected/f1_low", "/expected/by_image/0/id",
        "/missing_pictures/count", "/seconds/total", "/tuning_f1/after"}) {
    CAPTURE(pointer);
    CHECK(without(pointer) == test::text(std::string(pointer) + " is missing"));
  }
}

TEST_CASE("a result of today's form that was written before IoU and F1 with tolerance is read and stays as it is") {
  auto older = record::to_json(full_result());
  for (const char* summary : {"/scores", "/scores/before_postproc"}) {
    for (const char* key : {"iou", "f1_tolerance_2", "f1_tolerance_5"})
      CHECK(older.at(Json::json_pointer(summary)).erase(key) == 1);
  }
  const auto result = run_result_from_json(older);
  CHECK(result.scores->auroc == 0.3);
  for (const auto score : {record::Score::iou, record::Score::f1_tolerance_2, record::Score::f1_tolerance_5})
    CHECK_FALSE(record::score_of(*result.scores, score).has_value());
  CHECK(record::to_json(result).dump() == older.dump());
}

TEST_CASE("a value of a wrong type is refused with its place, what it is and what is wanted") {
  const auto with = [](const char* pointer, const Json& value) {
    auto json = record::to_json(full_result());
    json.at(Json::json_pointer(pointer)) = value;
    return refusal(json);
  };
  CHECK(with("/scores/f1", "high") == "/scores/f1 is \"high\", but a number is wanted");
  CHECK(with("/scores/iou", "high") == "/scores/iou is \"high\", but a number is wanted");
  CHECK(with("/scores/true_positives", 1.5) == "/scores/true_positives is 1.5, but an integer is wanted");
  CHECK(with("/iterations", 18446744073709551615ULL) == Contains("/iterations is 18446744073709551615, but"));
  CHECK(with("/scores/by_type/0/seen", "yes") == "/scores/by_type/0/seen is \"yes\", but true or false is wanted");
  CHECK(with("/scores/by_image", Json::object()) == "/scores/by_image is an object, but a list is wanted");
  CHECK(with("/scores/by_image/0", 5) == "/scores/by_image/0 is 5, but an object is wanted");
  CHECK(with("/scores", true) == "/scores is true, but an object is wanted");
  CHECK(with("/experiment", Json::array()) == "/experiment is a list, but an object is wanted");
  CHECK(with("/name", nullptr) == "/name is null, but a text is wanted");
  CHECK(with("/stop_reason", "bored") ==
        "/stop_reason is \"bored\", but one of \"finished\", \"patience\", \"interrupted\", \"diverged\" is wanted");
  CHECK(with("/threshold_rule", 3) == "/threshold_rule is 3, but a text is wanted");
  CHECK(with("/model/predictor.safetensors", "xyz") ==
        "/model/predictor.safetensors is \"xyz\", but a SHA-256 of 64 hexadecimal digits is wanted");
  for (const auto& wrong : {std::string(63, 'a'), std::string(64, 'A')})
    CHECK(with("/model/predictor.safetensors", wrong) == Contains("but a SHA-256 of 64 hexadecimal digits is wanted"));
  // A long text is shown by its beginning.
  CHECK(with("/scores/f1", std::string(58, 'x')) ==
        test::text("/scores/f1 is \"" + std::string(58, 'x') + "\", but a number is wanted"));
  CHECK(with("/scores/f1", std::string(59, 'x')) ==
        test::text("/scores/f1 is \"" + std::string(59, 'x') + "…, but a number is wanted"));
  CHECK(with("/tuned_postproc/0/weight", Json::object()) ==
        "/tuned_postproc/0/weight is an object, but the value of an option is wanted");
  CHECK(with("/seconds/total", "long") == "/seconds/total is \"long\", but a number is wanted");
  CHECK(with("/format", 0) == "/format is 0, but a number from 1 is wanted");
  CHECK(with("/format", 3) == Contains("/format is 3, but this version of nbs reads forms up to 2"));
  CHECK(refusal(Json::array()) == "the whole of it is a list, but an object is wanted");
}

TEST_CASE("precision, recall and F1 are undefined where the masks show no anomaly, and only there") {
  record::Scores scores;
  scores.f1 = 0;
  scores.oracle.f1 = 0;
  scores.mean_image_f1 = 1;
  scores.true_positives = 0;
  CHECK(record::score_of(scores, record::Score::f1) == 0.0);
  scores.false_negatives = 0;
  CHECK_FALSE(record::score_of(scores, record::Score::f1).has_value());
  CHECK_FALSE(record::score_of(scores, record::Score::oracle_f1).has_value());
  CHECK(record::score_of(scores, record::Score::mean_image_f1) == 1.0);
  CHECK_FALSE(record::score_of(scores, record::Score::f1_before_postproc).has_value());
  CHECK(record::score_infos().size() == 15);
}

TEST_CASE("every score of the tables is the number that it is called after") {
  using record::Score;
  record::Scores scores;
  scores.true_positives = 1;
  scores.f1 = 0.01;
  scores.precision = 0.02;
  scores.recall = 0.03;
  scores.oracle.f1 = 0.04;
  scores.iou = 0.12;
  scores.f1_tolerance_2 = 0.13;
  scores.f1_tolerance_5 = 0.14;
  scores.mean_image_f1 = 0.05;
  scores.auroc = 0.06;
  scores.average_precision = 0.07;
  scores.aupro = 0.08;
  scores.image_auroc = 0.09;
  auto& before = scores.before_postproc.emplace();
  before.f1 = 0.1;
  before.oracle.f1 = 0.11;
  const std::vector<std::pair<Score, double>> expected = {{Score::f1, 0.01},
                                                          {Score::precision, 0.02},
                                                          {Score::recall, 0.03},
                                                          {Score::oracle_f1, 0.04},
                                                          {Score::f1_before_postproc, 0.1},
                                                          {Score::oracle_f1_before_postproc, 0.11},
                                                          {Score::iou, 0.12},
                                                          {Score::f1_tolerance_2, 0.13},
                                                          {Score::f1_tolerance_5, 0.14},
                                                          {Score::mean_image_f1, 0.05},
                                                          {Score::auroc, 0.06},
                                                          {Score::average_precision, 0.07},
                                                          {Score::aupro, 0.08},
                                                          {Score::image_auroc, 0.09}};
  CHECK(expected.size() + 1 == record::score_infos().size());  // and the expected F1, which is no score of these
  for (const auto& [score, value] : expected) {
    CAPTURE(value);
    CHECK(record::score_of(scores, score) == value);
  }
  // Where there is nothing to find, what counts found pixels is undefined.
  scores.true_positives = scores.false_negatives = 0;
  before.true_positives = before.false_negatives = 0;
  for (const auto& [score, value] : expected) {
    CAPTURE(value);
    CHECK(record::score_of(scores, score).has_value() == (value > 0.045 && value < 0.095));
  }
}

TEST_CASE("a result's scores are those of its predictions, and the F1 that it expects, which needs no masks") {
  using record::Score;
  record::RunResult result;
  CHECK_FALSE(record::score_of(result, Score::expected_f1).has_value());
  result.expected.emplace().f1 = 0.3;
  CHECK(record::score_of(result, Score::expected_f1) == 0.3);
  CHECK_FALSE(record::score_of(result, Score::f1).has_value());
  auto& scores = result.scores.emplace();
  scores.oracle.f1 = 0.0;  // all that is written where nothing was compared
  CHECK_FALSE(record::score_of(result, Score::oracle_f1).has_value());
  scores.f1 = 0.6;
  CHECK(record::score_of(result, Score::oracle_f1) == 0.0);
  CHECK(record::score_of(result, Score::f1) == 0.6);
  CHECK(record::score_of(result, Score::expected_f1) == 0.3);
}

TEST_CASE("any one score tells that predictions were compared with masks; none tells nothing") {
  CHECK_FALSE(record::any_score({}));
  using Member = std::optional<double> record::Scores::*;
  for (const Member member :
       {static_cast<Member>(&record::Scores::f1), static_cast<Member>(&record::Scores::precision),
        static_cast<Member>(&record::Scores::recall), static_cast<Member>(&record::Scores::iou),
        static_cast<Member>(&record::Scores::f1_tolerance_2), static_cast<Member>(&record::Scores::f1_tolerance_5),
        static_cast<Member>(&record::Scores::mean_image_f1), static_cast<Member>(&record::Scores::auroc),
        static_cast<Member>(&record::Scores::average_precision), static_cast<Member>(&record::Scores::aupro),
        static_cast<Member>(&record::Scores::image_auroc)}) {
    record::Scores scores;
    scores.*member = 0;
    CHECK(record::any_score(scores));
  }
}
