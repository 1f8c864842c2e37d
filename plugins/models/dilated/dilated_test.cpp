// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <torch/autograd.h>

#include "nbs/initialize.h"

#include "component_test.h"
#include "predictor.h"

namespace {

using nbs::Normalization;
using nbs::PredictorSees;
using nbs::dilated::Network;
using nbs::dilated::Options;
using nbs::test::cross_entropy;
using nbs::test::Exercise;
using nbs::test::restore;
using nbs::test::saved;
using Made = nbs::test::Owned<nbs::dilated::DilatedPredictor>;

constexpr std::int64_t kMaps = 3;

Options small_options() {
  auto options = nbs::schema_of<Options>().make();
  options.channels = 6;
  options.dilations = {1, 2};
  options.learning_rate = 1e-2;
  return options;
}

// Profiles whose middle map is larger where the mask is 1: what is to be learned.
Exercise bright_middle(std::int64_t count, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  Exercise problem;
  problem.masks = (torch::rand({count, 20, 20}, generator) > 0.7).to(torch::kFloat32);
  problem.input.profile = torch::rand({count, kMaps, 20, 20}, generator);
  problem.input.profile.select(1, 1).add_(problem.masks);
  problem.input.image = torch::rand({count, 3, 20, 20}, generator);
  return problem;
}

}  // namespace

TEST_CASE("it learns in bfloat16 what it learns in float32, nearly") {
  for (const auto normalization : {Normalization::batch, Normalization::none}) {
    auto options = small_options();
    options.normalization = normalization;
    options.dropout = 0.1;
    const auto problem = bright_middle(4, 3);
    nbs::test::check_learns_in_bf16<nbs::dilated::DilatedPredictor>(
        options, nbs::testing::small_facts(7),
        [&](auto& made) { return made.train_step(problem.input, problem.masks, cross_entropy); });
  }
}

TEST_CASE("averaged weights are the moving average of the weights after each step, and are saved") {
  auto options = small_options();
  const auto problem = bright_middle(4, 3);
  // The same steps without averaging show the weights that are to be averaged.
  Made plain(options, 7);
  options.ema_decay = 0.9;
  Made averaged(options, 7);
  const auto values = [](const nbs::Component& predictor, const char* prefix) {
    std::vector<torch::Tensor> tensors;
    const auto state = saved(predictor);
    for (const auto& [name, value] : state.tensors()) {
      if (name.rfind(prefix, 0) == 0 && name != "average.updates") tensors.push_back(value);
    }
    return tensors;
  };
  auto expected = values(*plain, "parameter.");
  for (int n = 1; n <= 30; ++n) {
    plain->train_step(problem.input, problem.masks, cross_entropy);
    averaged->train_step(problem.input, problem.masks, cross_entropy);
    const double past = std::min(0.9, (1.0 + n) / (10.0 + n));
    const auto now = values(*plain, "parameter.");
    REQUIRE(now.size() == expected.size());
    for (std::size_t i = 0; i < now.size(); ++i)
      expected[i] = past * expected[i] + (1 - past) * now[i];
  }
  // Training goes on from the weights themselves.
  const auto trained = values(*averaged, "parameter.");
  const auto last = values(*plain, "parameter.");
  for (std::size_t i = 0; i < last.size(); ++i)
    CHECK(torch::equal(trained[i], last[i]));
  // Predictions are those of the average, before and after it is saved; training is not disturbed by asking for them.
  const auto before = averaged->logits(problem.input);
  CHECK_FALSE(torch::allclose(before, plain->logits(problem.input)));
  CHECK(torch::equal(before, averaged->logits(problem.input)));
  Made other(options, 8);
  restore(*other, saved(*averaged));
  CHECK(torch::equal(other->logits(problem.input), before));
  double worst = 0;
  const auto average = values(*averaged, "average.");
  for (const auto& wanted : expected) {
    double nearest = 1e9;
    for (const auto& held : average) {
      if (held.sizes() == wanted.sizes()) nearest = std::min(nearest, (held - wanted).abs().max().item<double>());
    }
    worst = std::max(worst, nearest);
  }
  CHECK(worst < 1e-5);
}

TEST_CASE("the receptive field is 1 + 2 x the sum of the dilations, no more and no less") {
  for (const auto& dilations : std::vector<std::vector<std::int64_t>>{{}, {1}, {1, 2, 4}, {1, 2, 4, 8, 1}}) {
    auto options = small_options();
    options.dilations = dilations;
    options.normalization = Normalization::none;
    std::int64_t reach = 0;
    for (const auto dilation : dilations)
      reach += dilation;
    CAPTURE(reach);
    Network network(kMaps, options);
    {
      // Positive weights on positive inputs: no contribution can be lost in a ReLU or cancel another.
      torch::NoGradGuard no_grad;
      for (auto& parameter : network->parameters())
        parameter.fill_(0.1);
    }
    const auto input = torch::ones({1, kMaps, 41, 41}).requires_grad_(true);
    const auto center = network->forward(input, {})[0][20][20];
    const auto seen = torch::autograd::grad({center}, {input})[0][0][0] != 0;
    const auto offsets = (seen.nonzero() - 20).abs();
    CHECK(offsets.max().item<std::int64_t>() == reach);
    CHECK(seen[20 - reach][20 + reach].item<bool>());
  }
}

TEST_CASE("inputs are as declared, and one logit a pixel comes out") {
  const auto problem = bright_middle(2, 1);
  for (const auto& inputs : std::vector<std::vector<PredictorSees>>{
           {PredictorSees::profile}, {PredictorSees::image}, {PredictorSees::profile, PredictorSees::image}}) {
    auto options = small_options();
    options.inputs = inputs;
    Made made(options, 1);
    const bool profile = inputs.front() == PredictorSees::profile;
    const bool image = inputs.back() == PredictorSees::image;
    CHECK(made->needs_profile() == profile);
    CHECK(made->needs_image() == image);
    nbs::PredictorInput given;
    if (profile) given.profile = problem.input.profile;
    if (image) given.image = problem.input.image;
    const auto logits = made->logits(given);
    CHECK(logits.sizes().vec() == std::vector<std::int64_t>{2, 20, 20});
    CHECK_FALSE(logits.requires_grad());
    auto other = given;
    if (profile) other.profile = given.profile * 2;
    if (image) other.image = given.image * 0.5;
    CHECK_FALSE(torch::allclose(made->logits(other), logits));
  }
  auto options = small_options();
  options.inputs = {};
  CHECK_THROWS_AS(Made(options, 1), nbs::Error);
}

TEST_CASE("an untrained network starts from the prior") {
  auto options = small_options();
  options.prior = 0.02;
  Network network(kMaps, options);
  auto generator = nbs::make_generator(1);
  nbs::initialize(*network, generator);
  network->set_prior(0.02);
  const auto probability = torch::sigmoid(network->forward(torch::zeros({1, kMaps, 8, 8}), torch::zeros({1, 6, 1, 1})));
  CHECK(probability.min().item<double>() == doctest::Approx(0.02).epsilon(1e-5));
  CHECK(probability.max().item<double>() == doctest::Approx(0.02).epsilon(1e-5));
}

TEST_CASE("a trivial mapping is learned, also for profiles that were not learned from") {
  for (const auto normalization : {Normalization::batch, Normalization::none}) {
    CAPTURE(normalization);
    auto options = small_options();
    options.normalization = normalization;
    Made made(options, 3);
    const auto problem = bright_middle(4, 5);
    const double first = made->train_step(problem.input, problem.masks, cross_entropy);
    for (int step = 0; step < 300; ++step)
      made->train_step(problem.input, problem.masks, cross_entropy);
    CHECK(made->train_step(problem.input, problem.masks, cross_entropy) < 0.2 * first);
    const auto unseen = bright_middle(4, 6);
    const auto right = (made->logits(unseen.input) > 0) == (unseen.masks > 0.5);
    CHECK(right.to(torch::kFloat32).mean().item<double>() > 0.95);
  }
}

TEST_CASE("an image's logits do not depend on the others in the batch") {
  Made made(small_options(), 6);
  const auto problem = bright_middle(3, 21);
  made->train_step(problem.input, problem.masks, cross_entropy);
  nbs::PredictorInput one;
  one.profile = problem.input.profile.slice(0, 1, 2);
  CHECK(torch::equal(made->logits(one)[0], made->logits(problem.input)[1]));
}

TEST_CASE("dropout changes learning by the seed alone, and nothing when masks are asked for") {
  auto options = small_options();
  options.dropout = 0.5;
  const auto problem = bright_middle(2, 8);
  const auto trained = [&](std::uint64_t seed) {
    Made made(options, seed);
    for (int step = 0; step < 3; ++step)
      made->train_step(problem.input, problem.masks, cross_entropy);
    CHECK(torch::equal(made->logits(problem.input), made->logits(problem.input)));
    return made->logits(problem.input);
  };
  CHECK(torch::equal(trained(9), trained(9)));
  CHECK_FALSE(torch::allclose(trained(9), trained(10)));
}

TEST_CASE("after save and load results and further learning are the same bit for bit") {
  const auto problem = bright_middle(2, 13);
  Made original(small_options(), 1);
  for (int step = 0; step < 3; ++step)
    original->train_step(problem.input, problem.masks, cross_entropy);
  Made copy(small_options(), 2);
  restore(*copy, saved(*original));
  CHECK(torch::equal(copy->logits(problem.input), original->logits(problem.input)));
  for (int step = 0; step < 2; ++step) {
    CHECK(copy->train_step(problem.input, problem.masks, cross_entropy) ==
          original->train_step(problem.input, problem.masks, cross_entropy));
  }
  CHECK(torch::equal(copy->logits(problem.input), original->logits(problem.input)));
}

TEST_CASE("with a schedule the step size falls over the steps that are planned for the run") {
  auto options = small_options();
  const auto problem = bright_middle(2, 4);
  const auto constant = nbs::test::moves_of_head<nbs::dilated::DilatedPredictor>(options, 2, problem);
  options.schedule = nbs::Schedule::cosine;
  const auto cosine = nbs::test::moves_of_head<nbs::dilated::DilatedPredictor>(options, 2, problem);
  CHECK(cosine[0] == constant[0]);
  CHECK(cosine[1] < 0.7 * constant[1]);
  CHECK(cosine[2] < 0.05 * constant[2]);
  // Where nobody has said how many there will be, it stays.
  CHECK(nbs::test::moves_of_head<nbs::dilated::DilatedPredictor>(options, 0, problem) == constant);
}
