// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;
namespace fs = std::filesystem;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

namespace {

// A folder with a set of generated images and a finished run on it, "trained".
struct Trained {
  Program nbs;

  Trained() {
    nbs.folder().write("a.toml", nbs::test::tiny_pipeline());
    REQUIRE(nbs({"data", "a.toml", "--export", "set"}).status == 0);
    REQUIRE(run({"--run-dir", "trained"}).status == 0);
  }
  nbs::test::Ended run(const Words& more) const {
    Words words = {"run",   "a.toml",        "--progress", "none",          "--set", "data.format=folder",
                   "--set", "data.root=set", "--set",      "data.labeled=3"};
    words.insert(words.end(), more.begin(), more.end());
    return nbs(words);
  }
  // The sentence with which a run with the model of "trained" is refused.
  std::string refusal(Words more) const {
    more.insert(more.end(), {"--model", "trained", "--run-dir", "refused"});
    const auto ended = run(more);
    CHECK(ended.status != 0);
    CHECK_FALSE(fs::exists(nbs.folder() / "refused" / "result.json"));
    fs::remove_all(nbs.folder() / "refused");
    return ended.errors;
  }
  // What a run found, without what it took and where its model comes from.
  Json result(const std::string& folder) const {
    auto json = Json::parse(nbs::read_file(nbs.folder() / folder / "result.json"));
    for (const char* key : {"seconds", "peak_memory_mib", "checksum", "model_from"})
      json.erase(key);
    return json;
  }
};

}  // namespace

TEST_CASE("with the model of a finished run, another threshold gives the bytes that training anew would have given") {
  const Trained trained;
  const Words other = {"--set", "evaluation.threshold_rule=recall", "--set", R"(postproc=[{plugin="dense_crf"}])"};
  auto words = other;
  words.insert(words.end(), {"--run-dir", "whole"});
  const auto whole = trained.run(words);
  INFO(whole.errors);
  REQUIRE(whole.status == 0);
  words = other;
  words.insert(words.end(), {"--run-dir", "taken", "--model", "trained/"});
  const auto ended = trained.run(words);
  INFO(ended.errors);
  REQUIRE(ended.status == 0);
  CHECK(text(ended.errors) == Contains("takes the model of trained"));
  CHECK(trained.result("taken") == trained.result("whole"));
  CHECK(trained.result("taken") != trained.result("trained"));
  const auto& folder = trained.nbs.folder();
  const auto pictures = nbs::test::entries_of(folder / "whole" / "predictions");
  CHECK_FALSE(pictures.empty());
  CHECK(nbs::test::entries_of(folder / "taken" / "predictions") == pictures);
  for (const auto& name : pictures)
    CHECK(nbs::read_file(folder / "taken" / "predictions" / name) ==
          nbs::read_file(folder / "whole" / "predictions" / name));
  for (const char* file : {"metrics.jsonl", "diagnostics.json"})
    CHECK(nbs::read_file(folder / "taken" / file) == nbs::read_file(folder / "whole" / file));
  const auto result = Json::parse(nbs::read_file(folder / "taken" / "result.json"));
  CHECK(result.at("model_from") == "trained");
  CHECK(result.at("seconds").at("training").is_null());
  CHECK(text(nbs::read_file(folder / "taken" / "report.html")) == Contains("The model is that of the run trained"));
  // What to expect is estimated for the unlabeled images, also where the threshold is given.
  CHECK(result.at("expected").at("unlabeled_images") == 3);
  REQUIRE(
      trained.run({"--set", "evaluation.threshold_rule=fixed", "--model", "trained", "--run-dir", "fixed"}).status ==
      0);
  CHECK(trained.result("fixed").at("expected").at("unlabeled_images") == 3);
  // It masks new images as any run does.
  const auto masks = trained.nbs({"predict", "taken", "set/images", "--out", "masks"});
  CHECK(masks.status == 0);
}

TEST_CASE("the models of a run with several members are taken and mask new images as one run's does") {
  const Trained trained;
  const Words members = {"--set", "train.members=3"};
  const auto with = [&](Words words) {
    words.insert(words.end(), members.begin(), members.end());
    return words;
  };
  const auto& folder = trained.nbs.folder();
  REQUIRE(trained.run(with({"--run-dir", "three"})).status == 0);
  CHECK(fs::exists(folder / "three" / "model" / "member2" / "predictor.safetensors"));
  const Words other = {"--set", "evaluation.threshold_rule=precision", "--set", R"(postproc=[{plugin="morphology"}])"};
  auto words = with(other);
  words.insert(words.end(), {"--run-dir", "whole"});
  REQUIRE(trained.run(words).status == 0);
  words = with(other);
  words.insert(words.end(), {"--run-dir", "taken", "--model", "three"});
  const auto ended = trained.run(words);
  INFO(ended.errors);
  REQUIRE(ended.status == 0);
  CHECK(trained.result("taken") == trained.result("whole"));
  CHECK(trained.result("taken").at("iterations") == 3 * trained.result("trained").at("iterations").get<int>());
  for (const auto& name : nbs::test::entries_of(folder / "whole" / "predictions"))
    CHECK(nbs::read_file(folder / "taken" / "predictions" / name) ==
          nbs::read_file(folder / "whole" / "predictions" / name));
  // The unlabeled images again, one by one, come to the masks that the run made.
  REQUIRE(trained.nbs({"predict", "three", "set/images", "--out", "masks"}).status == 0);
  for (const auto& name : nbs::test::entries_of(folder / "three" / "predictions")) {
    if (name.find(".mask.png") == std::string::npos && name.find(".probability.png") == std::string::npos) continue;
    CHECK(nbs::read_file(folder / "masks" / name) == nbs::read_file(folder / "three" / "predictions" / name));
  }
  CHECK(text(trained.refusal({"--set", "train.members=2"})) == Contains("train.members is 2, but 1"));
}

TEST_CASE("a model that was trained otherwise is refused with the option and both values") {
  const Trained trained;
  CHECK(text(trained.refusal({"--set", "train.iterations=7"})) ==
        Contains("train.iterations is 7, but 6 in the run trained"));
  // At its place in the file, and before there is a folder of the new run.
  const auto& nbs = trained.nbs;
  nbs.folder().write(
      "other.toml",
      "base = \"a.toml\"\n[data]\nformat = \"folder\"\nroot = \"set\"\nlabeled = 3\n[train]\niterations = 7\n");
  const auto ended = nbs({"run", "other.toml", "--model", "trained", "--run-dir", "refused"});
  CHECK(ended.status == 2);
  CHECK(text(ended.errors) == Contains("other.toml:7:1: train.iterations is 7, but 6 in the run trained"));
  CHECK_FALSE(fs::exists(nbs.folder() / "refused"));
  CHECK(text(trained.refusal({"--set", "predictor.channels=8"})) == Contains("predictor.channels is 8, but 4"));
  CHECK(text(trained.refusal({"--set", "evaluation.folds=0"})) == Contains("evaluation.folds is 0, but -1"));
  // An image more.
  const auto images = trained.nbs.folder() / "set" / "images";
  const auto masks = trained.nbs.folder() / "set" / "masks";
  const auto name = nbs::test::entries_of(images).front();
  fs::copy_file(images / name, images / ("new" + fs::path(name).extension().string()));
  const auto mask = nbs::test::entries_of(masks).front();
  fs::copy_file(masks / mask, masks / ("new" + fs::path(mask).extension().string()));
  CHECK(text(trained.refusal({})) == Contains("names other images or roles than trained/split.json"));
}

TEST_CASE("a model is not taken where an image or a labeled mask is another than at its training") {
  const Trained trained;
  const auto set = trained.nbs.folder() / "set";
  const auto split = Json::parse(nbs::read_file(trained.nbs.folder() / "trained" / "split.json"));
  std::string labeled;
  std::string unlabeled;
  for (const auto& image : split.at("images"))
    (image.at("role") == "labeled" ? labeled : unlabeled) = image.at("id").get<std::string>();
  const auto change = [&](const fs::path& file) {
    const auto before = nbs::read_file(file);
    cv::Mat picture = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
    cv::bitwise_not(picture, picture);
    cv::imwrite(file.string(), picture);
    return before;
  };
  const auto file_of = [&](const char* folder, const std::string& id) {
    for (const auto& entry : fs::directory_iterator(set / folder)) {
      if (entry.path().stem().string() == id) return entry.path();
    }
    return fs::path();
  };
  for (const auto& file : {file_of("masks", labeled), file_of("images", unlabeled)}) {
    CAPTURE(file.string());
    const auto before = change(file);
    CHECK(text(trained.refusal({})) == Contains("have changed since the model of trained was trained"));
    nbs::write_file(file, before);
  }
  const auto scored = file_of("masks", unlabeled);
  change(scored);
  CHECK(trained.run({"--model", "trained", "--run-dir", "other_truth"}).status == 0);
}

TEST_CASE("options that came after a model was trained count as their defaults there") {
  const Trained trained;
  const auto& nbs = trained.nbs;
  const auto file = nbs.folder() / "trained" / "resolved.toml";
  auto older = nbs::read_file(file);
  for (const char* line : {"balance = ", "ema_decay = "}) {  // an option of the host's, and a plugin's
    const auto at = older.find(std::string("\n") + line) + 1;
    REQUIRE(at != 0);
    older.erase(at, older.find('\n', at) + 1 - at);
  }
  nbs::write_file(file, older);
  const auto ended = trained.run({"--model", "trained", "--run-dir", "taken"});
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(trained.result("taken") == trained.result("trained"));
  CHECK(text(trained.refusal({"--set", "predictor.ema_decay=0.5"})) ==
        Contains("predictor.ema_decay is 0.5, but 0.0 in the run trained"));
  nbs::write_file(file, older + "gone = 1\n");  // one that is no more
  CHECK(text(trained.refusal({})) == Contains("in the run trained, whose model was trained with that"));
}

TEST_CASE("a run without a whole model gives none, and --resume takes none") {
  const Trained trained;
  const auto& nbs = trained.nbs;
  auto ended = trained.run({"--model", "nothing", "--run-dir", "refused"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("nothing holds no result.json"));
  CHECK_FALSE(fs::exists(nbs.folder() / "refused"));
  auto json = Json::parse(nbs::read_file(nbs.folder() / "trained" / "result.json"));
  json["stop_reason"] = "interrupted";
  json.erase("checksum");
  nbs::write_file(nbs.folder() / "trained" / "result.json", json.dump());
  ended = trained.run({"--model", "trained", "--run-dir", "refused"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("the run trained did not finish (interrupted)"));
  CHECK_FALSE(fs::exists(nbs.folder() / "refused"));
  ended = nbs({"run", "--resume", "trained", "--model", "trained"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("leave them out"));
}
