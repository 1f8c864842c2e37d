// SPDX-License-Identifier: Apache-2.0
#include "chained_maps.h"

#include <memory>
#include <utility>
#include <vector>

#include "nbs/error.h"

#include "torch_test.h"

using nbs::config::EvaluationOptions;
using nbs::config::ThresholdRule;
using nbs::worker::ChainedMaps;
using nbs::worker::LabeledMaps;

namespace {

// Halves every probability.
class Halving : public nbs::Postprocessor {
 public:
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) override {
    CHECK(images.size(0) == probabilities.size(0));
    CHECK(images.size(3) == probabilities.size(2));
    return probabilities / 2;
  }
};

// Two labeled images, one unlabeled, one held out, of 4 x 4 pixels. Of each labeled image four pixels are anomalous.
nbs::training::TrainingImages four_images() {
  nbs::training::TrainingImages images;
  images.labeled = 2;
  images.unlabeled = 1;
  images.held_out = 1;
  images.images = torch::zeros({4, 3, 4, 4});
  images.masks = torch::zeros({2, 4, 4});
  images.masks.select(1, 0).fill_(1);
  return images;
}

// Certain of the anomaly: 0.8 there and 0.2 elsewhere, so that the middle of high F1 is 0.5.
LabeledMaps apart(bool honest) {
  auto map = torch::full({4, 4}, 0.2);
  map[0].fill_(0.8);
  return {{map, map.clone()}, {0, 1}, honest};
}

// The predictor of all images rises from 0.01 to 0.16; of the folds' the one predicts four pixels at 0.5, the other
// two.
torch::Tensor by_predictor() {
  auto maps = torch::full({3, 4, 4}, 0.05);
  maps[0] = torch::arange(1, 17).view({4, 4}) / 100.0;
  maps[1].view(-1).slice(0, 0, 8).fill_(0.3);  // below the threshold, and so behind any postprocessor
  maps[1].view(-1).slice(0, 12, 16).fill_(0.9);
  maps[2].view(-1).slice(0, 14, 16).fill_(0.7);
  return maps;
}

// The folds' mean logit counts as much as that of the predictor of all images.
torch::Tensor together() {
  const auto logits = torch::logit(by_predictor());
  return torch::sigmoid((logits[0] + (logits[1] + logits[2]) / 2) / 2);
}

torch::Tensor only_map(const ChainedMaps& maps) {
  auto image = maps.unlabeled().at(0);
  return torch::from_blob(image.probability.data(), {image.height, image.width}).clone();
}

std::int64_t predicted(ChainedMaps& maps) {
  return (only_map(maps).to(torch::kFloat64) >= maps.threshold()).sum().item<std::int64_t>();
}

}  // namespace

TEST_CASE("as large a share is predicted as the folds' predictors, each alone, predict") {
  const auto views = four_images();
  const nbs::training::WholeImages images(views);
  const EvaluationOptions options;
  ChainedMaps maps(options, {}, apart(true), images, ".");
  CHECK(maps.labeled_threshold().threshold == doctest::Approx(0.5).epsilon(0.02));
  maps.add_unlabeled(by_predictor());
  // Six of 32 pixels, so three of sixteen.
  CHECK(predicted(maps) == 3);
  CHECK(torch::allclose(only_map(maps), together()));
}

TEST_CASE("postprocessors stand between the predictors and every number") {
  const auto views = four_images();
  const nbs::training::WholeImages images(views);
  const EvaluationOptions options;
  ChainedMaps maps(options, {std::make_shared<Halving>()}, apart(true), images, ".");
  CHECK(torch::allclose(maps.labeled().maps[1], apart(true).maps[1] / 2));
  const double chosen = maps.labeled_threshold().threshold;
  CHECK(chosen > 0.1);
  CHECK(chosen < 0.4);
  maps.add_unlabeled(by_predictor());
  CHECK(predicted(maps) == 3);
  CHECK(only_map(maps).max().item<double>() == doctest::Approx(together().max().item<double>() / 2));
}

TEST_CASE("a threshold that was not chosen on the folds' maps is not carried over") {
  const auto views = four_images();
  const nbs::training::WholeImages images(views);
  EvaluationOptions options;
  SUBCASE("maps of images that were taught") {
    ChainedMaps maps(options, {}, apart(false), images, ".");
    maps.add_unlabeled(by_predictor());
    CHECK(maps.threshold() == maps.labeled_threshold().threshold);
    CHECK_FALSE(maps.expected(nbs::worker::labeled_images(maps.labeled(), images)).has_value());
    ChainedMaps honest(options, {}, apart(true), images, ".");
    CHECK(honest.expected(nbs::worker::labeled_images(honest.labeled(), images)).has_value());
  }
  SUBCASE("fixed") {
    options.threshold_rule = ThresholdRule::fixed;
    options.threshold = 0.3;
    ChainedMaps maps(options, {}, apart(true), images, ".");
    maps.add_unlabeled(by_predictor());
    CHECK(maps.threshold() == 0.3);
  }
  SUBCASE("without folds") {
    ChainedMaps maps(options, {}, apart(true), images, ".");
    maps.add_unlabeled(by_predictor().slice(0, 0, 1));
    CHECK(maps.threshold() == maps.labeled_threshold().threshold);
  }
  SUBCASE("by area, on held-out images") {
    options.threshold_rule = ThresholdRule::normal_area;
    options.normal_area = 2;
    ChainedMaps maps(options, {}, apart(true), images, ".");
    CHECK_THROWS_WITH_AS(maps.threshold(), doctest::Contains("needs anomaly-free images"), nbs::Error);
    maps.add_unlabeled(by_predictor());
    maps.add_held_out(by_predictor());
    // The two surest pixels lie side by side; with the next there would be three.
    CHECK(predicted(maps) == 2);
  }
}

TEST_CASE("each rule is asked with its own number") {
  const auto views = four_images();
  const nbs::training::WholeImages images(views);
  // Anomalous pixels at 0.9, 0.8, 0.7 and 0.6 of each image; normal ones at 0.75 (one) and 0.1.
  auto maps = torch::full({2, 4, 4}, 0.1);
  for (std::int64_t x = 0; x < 4; ++x)
    maps.select(1, 0).select(1, x).fill_(0.9 - 0.1 * static_cast<double>(x));
  maps.select(1, 1).select(1, 0).fill_(0.75);
  const LabeledMaps labeled{{maps[0], maps[1]}, {0, 1}, true};
  EvaluationOptions options;
  const auto found = [&](ThresholdRule rule) {
    options.threshold_rule = rule;
    const double chosen = ChainedMaps(options, {}, labeled, images, ".").labeled_threshold().threshold;
    return (maps.to(torch::kFloat64) >= chosen).sum().item<std::int64_t>() / 2;  // of each image
  };
  options.least_recall = 0.75;
  options.least_precision = 1;
  options.false_area = 0;
  CHECK(found(ThresholdRule::recall) == 5);     // all four and the normal one: 4 of 5 beats 3 of 4
  CHECK(found(ThresholdRule::precision) == 2);  // 0.9 and 0.8
  CHECK(found(ThresholdRule::false_area) == 2);
  options.least_recall = 0.5;
  options.least_precision = 0.8;
  options.false_area = 1;
  CHECK(found(ThresholdRule::recall) == 1 + 1);
  CHECK(found(ThresholdRule::precision) == 5);
  CHECK(found(ThresholdRule::false_area) == 5);
}
