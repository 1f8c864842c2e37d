// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <vector>

#include "nbs/error.h"

#include "predictor.h"
#include "torch_test.h"

namespace {

using nbs::threshold::Options;
using nbs::threshold::ThresholdPredictor;

// A predictor with a context of its own; keeps what was logged.
struct Made {
  explicit Made(double scale)
      : context(nbs::Context::Facts(), [this](const std::string& line) { lines.push_back(line); }),
        predictor(options(scale), context) {}
  static Options options(double scale) { return nbs::schema_of<Options>().make({{"scale", nbs::Value{scale}}}); }
  std::vector<std::string> lines;
  nbs::Context context;
  ThresholdPredictor predictor;
};

// The probabilities of one newest map, behind an older one of other values.
torch::Tensor probabilities(Made& made, const torch::Tensor& newest) {
  nbs::PredictorInput input;
  input.profile = torch::stack({torch::full_like(newest, 7), newest}, 1);
  return torch::sigmoid(made.predictor.logits(input));
}

}  // namespace

TEST_CASE("the probability is loss / (loss + scale) of the newest map") {
  Made made(0.05);
  const auto losses = torch::tensor({0.0F, 1e-6F, 0.01F, 0.05F, 0.2F, 2.0F}).view({1, 2, 3});
  const auto found = probabilities(made, losses);
  REQUIRE(found.sizes() == losses.sizes());
  for (std::int64_t y = 0; y < 2; ++y) {
    for (std::int64_t x = 0; x < 3; ++x) {
      const double loss = losses[0][y][x].item<double>();
      CHECK(found[0][y][x].item<double>() == doctest::Approx(loss / (loss + 0.05)).epsilon(1e-5));
    }
  }
  CHECK(found[0][1][0].item<double>() == doctest::Approx(0.5));
}

TEST_CASE("probabilities keep the order of losses over all that a loss can be") {
  for (const double scale : {1e-3, 0.01, 1.0}) {
    CAPTURE(scale);
    Made made(scale);
    // From 1e-7 to 4, each 1% more than the one before.
    const auto losses = (torch::arange(1770) * std::log(1.01)).exp().mul(1e-7).view({1, 1, -1});
    REQUIRE(losses.max().item<double>() > 4);
    const auto found = probabilities(made, losses).view({-1});
    const auto steps = found.slice(0, 1) - found.slice(0, 0, -1);
    CHECK(steps.min().item<double>() > 0);
  }
}

TEST_CASE("a threshold on the probability is one on the loss") {
  Made made(0.02);
  auto generator = nbs::make_generator(3);
  const auto losses = torch::rand({1, 40, 40}, generator) * 0.2;
  for (const double t : {0.1, 0.5, 0.9}) {
    const auto by_probability = probabilities(made, losses) >= t;
    const auto by_loss = losses >= 0.02 * t / (1 - t);
    CHECK(torch::equal(by_probability, by_loss));
  }
}

TEST_CASE("it declares that it has nothing to learn, and refuses to") {
  Made made(0.01);
  CHECK(made.predictor.needs_profile());
  CHECK_FALSE(made.predictor.needs_image());
  CHECK_FALSE(made.predictor.learns());
  CHECK_THROWS_AS(made.predictor.learn({}, {}, {}), nbs::Error);
}

TEST_CASE("losses that cannot be losses are refused; relative ones are remarked on once") {
  Made made(0.01);
  CHECK_THROWS_WITH_AS(probabilities(made, torch::full({1, 2, 2}, -0.5)),
                       doctest::Contains("but the profile holds -0.5; set profile.transform"), nbs::Error);
  CHECK(made.lines.empty());
  nbs::PredictorInput input;
  input.profile = torch::tensor({0.5F, 1.5F, 0.25F, 1.75F}).view({1, 1, 2, 2});
  made.predictor.logits(input);
  made.predictor.logits(input);
  REQUIRE(made.lines.size() == 1);
  CHECK(made.lines[0].find("profile.normalise") != std::string::npos);
}

TEST_CASE("another object gives the same bits, after save and load too") {
  Made one(0.03);
  Made two(0.03);
  nbs::State state;
  one.predictor.save(state);
  CHECK(state.tensors().empty());
  two.predictor.load(state);
  auto generator = nbs::make_generator(5);
  const auto losses = torch::rand({3, 8, 8}, generator);
  CHECK(torch::equal(probabilities(one, losses), probabilities(two, losses)));
  // and image by image
  CHECK(torch::equal(probabilities(one, losses)[1], probabilities(one, losses.slice(0, 1, 2))[0]));
}
