// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "nbs/config/pipeline.h"

using nbs::config::training_difference;

namespace {

constexpr const char* kTrained = R"(name = "a"
seed = 1

[experiment]
method = "random"

[data]
format = "mvtec"
root = "/here"
labeled = 5

[train]
iterations = 400
autoencoder_images = "all"
threads = 0

[evaluation]
threshold_rule = "labeled_f1"
normal_share = 0.1
folds = -1

[predictor]
plugin = "unet"
width = 16

[[postproc]]
plugin = "dense_crf"
weight = 3.0
)";

// The text with one line instead of another.
std::string with(const std::string& line, const std::string& other, std::string text = kTrained) {
  const auto at = text.find(line + "\n");
  REQUIRE(at != std::string::npos);
  return text.replace(at, line.size() + (other.empty() ? 1 : 0), other);
}

}  // namespace

TEST_CASE("what masks are made with, labels, threads and the place of the images are no part of training") {
  CHECK_FALSE(training_difference(kTrained, kTrained).has_value());
  CHECK_FALSE(training_difference(kTrained, with("name = \"a\"", "name = \"b\"")).has_value());
  CHECK_FALSE(training_difference(kTrained, with("method = \"random\"", "method = \"other\"")).has_value());
  CHECK_FALSE(training_difference(kTrained, with("root = \"/here\"", "root = \"/there\"")).has_value());
  CHECK_FALSE(training_difference(kTrained, with("threads = 0", "threads = 4")).has_value());
  CHECK_FALSE(training_difference(kTrained, with("threshold_rule = \"labeled_f1\"", "threshold_rule = \"recall\""))
                  .has_value());
  CHECK_FALSE(training_difference(kTrained, with("weight = 3.0", "weight = 4.0")).has_value());
  CHECK_FALSE(
      training_difference(kTrained, with("[[postproc]]", "[[postproc]]\nplugin = \"morphology\"\n\n[[postproc]]"))
          .has_value());
}

TEST_CASE("the first option of training that differs is named with both values") {
  const auto other = training_difference(with("iterations = 400", "iterations = 20"), kTrained);
  REQUIRE(other.has_value());
  CHECK(other->option == "train.iterations");
  CHECK(other->here == "20");
  CHECK(other->there == "400");
  CHECK(training_difference(kTrained, with("seed = 1", "seed = 2"))->option == "seed");
  CHECK(training_difference(kTrained, with("labeled = 5", "labeled = 4"))->option == "data.labeled");
  CHECK(training_difference(kTrained, with("folds = -1", "folds = 2"))->option == "evaluation.folds");
  CHECK(training_difference(kTrained, with("width = 16", "width = 8"))->option == "predictor.width");
  const auto missing = training_difference(kTrained, with("width = 16", ""));
  CHECK(missing->option == "predictor.width");
  CHECK(missing->there.empty());
  CHECK(training_difference(with("width = 16", ""), kTrained)->here.empty());
}

TEST_CASE("images that a threshold rule holds out are not trained on") {
  const auto rule = [](const char* images) {
    const auto text = with("autoencoder_images = \"all\"", "autoencoder_images = \"" + std::string(images) + "\"");
    return training_difference(text, with("threshold_rule = \"labeled_f1\"", "threshold_rule = \"normal_area\"", text));
  };
  CHECK_FALSE(rule("all").has_value());
  REQUIRE(rule("auxiliary").has_value());
  CHECK(rule("auxiliary")->option == "evaluation.normal_share");
}
