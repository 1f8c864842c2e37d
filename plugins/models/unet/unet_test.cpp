// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "nbs/initialize.h"

#include "component_test.h"
#include "dice.h"
#include "predictor.h"

namespace {

using nbs::Normalization;
using nbs::PredictorSees;
using nbs::test::cross_entropy;
using nbs::test::Exercise;
using nbs::test::restore;
using nbs::test::saved;
using nbs::unet::Network;
using nbs::unet::Options;
using Made = nbs::test::Owned<nbs::unet::UnetPredictor>;

Options small_options() {
  auto options = nbs::schema_of<Options>().make();
  options.depth = 2;
  options.width = 4;
  options.learning_rate = 1e-2;
  return options;
}

// Gray noise with one brighter and redder square an image; the squares are the masks.
Exercise squares(std::int64_t count, std::int64_t size, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  Exercise problem;
  problem.input.image = torch::rand({count, 3, size, size}, generator) * 0.4 + 0.2;
  problem.masks = torch::zeros({count, size, size});
  for (std::int64_t b = 0; b < count; ++b) {
    const std::int64_t y = torch::randint(0, size - 8, {1}, generator).item<std::int64_t>();
    const std::int64_t x = torch::randint(0, size - 8, {1}, generator).item<std::int64_t>();
    problem.input.image[b][0].slice(0, y, y + 8).slice(1, x, x + 8).add_(0.3);
    problem.masks[b].slice(0, y, y + 8).slice(1, x, x + 8).fill_(1);
  }
  return problem;
}

}  // namespace

TEST_CASE("it learns in bfloat16 what it learns in float32, nearly") {
  for (const std::int64_t size : {32, 30}) {  // 30 is padded
    const auto problem = squares(4, size, 3);
    nbs::test::check_learns_in_bf16<nbs::unet::UnetPredictor>(
        small_options(), nbs::testing::small_facts(7),
        [&](auto& made) { return made.train_step(problem.input, problem.masks, cross_entropy); });
  }
}

TEST_CASE("a batch that leaves batch normalization one value is refused with what to change, and works without it") {
  const auto problem = squares(1, 16, 3);
  auto options = small_options();
  const auto step = [&](std::int64_t depth, Normalization normalization, const Exercise& of) {
    options.depth = depth;
    options.normalization = normalization;
    Made made(options, 1);
    return made->train_step(of.input, of.masks, cross_entropy);
  };
  CHECK_THROWS_WITH_AS(step(4, Normalization::batch, problem),
                       doctest::Contains("a batch of 1 crop of 16 x 16 pixels, halved 4 times"), nbs::Error);
  CHECK(std::isfinite(step(3, Normalization::batch, problem)));
  CHECK(std::isfinite(step(4, Normalization::none, problem)));
  CHECK(std::isfinite(step(4, Normalization::batch, squares(2, 16, 3))));
}

TEST_CASE("one logit a pixel, for sizes that are no multiple of 2^depth too") {
  Made made(small_options(), 1);
  for (const auto& [height, width] : {std::pair{32, 32}, std::pair{37, 30}, std::pair{5, 9}}) {
    nbs::PredictorInput input;
    input.image = torch::full({2, 3, height, width}, 0.25);
    const auto logits = made->logits(input);
    CHECK(logits.sizes().vec() == std::vector<std::int64_t>{2, height, width});
    CHECK(logits.dtype() == torch::kFloat32);
    CHECK_FALSE(logits.requires_grad());
  }
  CHECK_FALSE(made->needs_profile());
  CHECK(made->needs_image());
  CHECK(made->is_trainable());
}

TEST_CASE("it sees the image, the loss profile or both") {
  const auto problem = squares(2, 20, 4);
  nbs::PredictorInput given;
  given.image = problem.input.image;
  given.profile = problem.input.image.mean(1, true).expand({2, 3, 20, 20}) * 3;
  for (const auto& inputs : std::vector<std::vector<PredictorSees>>{{PredictorSees::profile},
                                                                    {PredictorSees::profile, PredictorSees::image}}) {
    auto options = small_options();
    options.inputs = inputs;
    Made made(options, 1);
    CHECK(made->needs_profile());
    CHECK(made->needs_image() == (inputs.size() == 2));
    const auto before = made->logits(given);
    auto brighter = given;
    brighter.profile = given.profile * 2;
    CHECK_FALSE(torch::allclose(made->logits(brighter), before));
    auto recolored = given;
    recolored.image = given.image * 0.5;
    CHECK(torch::allclose(made->logits(recolored), before) == (inputs.size() == 1));
  }
  auto options = small_options();
  options.inputs = {};
  CHECK_THROWS_AS(Made(options, 1), nbs::Error);
}

TEST_CASE("shortcuts carry what is near past the deepest level, which sees what is far") {
  torch::NoGradGuard no_grad;
  auto options = small_options();
  options.normalization = Normalization::none;
  Network network(3, options);
  auto generator = nbs::make_generator(3);
  nbs::initialize(*network, generator);
  network->to(torch::kFloat64);  // in float32 rounding reaches further (nbs/convolution_3x3.h)
  const auto image = torch::rand({1, 3, 64, 64}, generator).to(torch::kFloat64);
  auto other = image.clone();
  other[0][0][32][32] = 2;
  const auto reach = [&](const torch::Tensor& keep) {
    const auto changed = network->forward(image, keep)[0] != network->forward(other, keep)[0];
    const auto places = changed.nonzero();
    return places.size(0) == 0 ? -1 : (places - 32).abs().max().item<std::int64_t>();
  };
  // Pixels around: 2 of the encoder and 2 of the decoder at full size, 4 and 4 at half size, 8 at a quarter; and the
  // cells of the poolings, at most 3 more.
  const auto without = reach(torch::zeros({1, 16, 1, 1}, torch::kFloat64));
  CHECK(without > 4);
  CHECK(without <= 12 + 3);
  const auto with = reach({});
  CHECK(with > 12 + 3);
  CHECK(with <= 20 + 3);
}

TEST_CASE("parameters are counted as the architecture says") {
  auto options = nbs::schema_of<Options>().make();
  Network network(3, options);
  // Blocks without biases and with two normalizations, up-convolutions and head with biases.
  const auto block = [](std::int64_t in, std::int64_t out) { return 9 * (in * out + out * out) + 4 * out; };
  std::int64_t expected = 16 + 1;
  for (std::int64_t level = 0, in = 3; level <= 4; in = 16 << level, ++level)
    expected += block(in, 16 << level);
  for (std::int64_t level = 0; level < 4; ++level) {
    const std::int64_t c = 16 << level;
    expected += 2 * c * 4 * c + 4 * c + block(2 * c, c);
  }
  std::int64_t count = 0;
  for (const auto& parameter : network->parameters())
    count += parameter.numel();
  CHECK(count == expected);
}

TEST_CASE("soft Dice loss agrees with sums written out") {
  auto generator = nbs::make_generator(5);
  const auto logits = torch::randn({2, 3, 4}, generator);
  const auto masks = (torch::rand({2, 3, 4}, generator) > 0.6).to(torch::kFloat32);
  double overlap = 0;
  double total = 0;
  for (std::int64_t b = 0; b < 2; ++b) {
    for (std::int64_t y = 0; y < 3; ++y) {
      for (std::int64_t x = 0; x < 4; ++x) {
        const double q = 1 / (1 + std::exp(-logits[b][y][x].item<double>()));
        const double mask = masks[b][y][x].item<double>();
        overlap += q * mask;
        total += q + mask;
      }
    }
  }
  const double expected = 1 - (2 * overlap + 1) / (total + 1);
  CHECK(nbs::unet::soft_dice_loss(logits, masks).item<double>() == doctest::Approx(expected).epsilon(1e-6));
  // Certain and right: 0. Certain and wrong: almost 1.
  CHECK(nbs::unet::soft_dice_loss((masks - 0.5) * 100, masks).item<double>() == doctest::Approx(0).epsilon(1e-6));
  const double marked = masks.sum().item<double>();
  CHECK(nbs::unet::soft_dice_loss((0.5 - masks) * 100, masks).item<double>() ==
        doctest::Approx(1 - 1 / (24 - marked + marked + 1)).epsilon(1e-6));
  CHECK(nbs::unet::soft_dice_loss(torch::full({1, 2, 2}, -100.0), torch::zeros({1, 2, 2})).item<double>() ==
        doctest::Approx(0).epsilon(1e-6));
}

TEST_CASE("learning finds the squares, also in images that were not learned from") {
  for (const double dice : {0.0, 1.0}) {
    CAPTURE(dice);
    auto options = small_options();
    options.dice = dice;
    Made made(options, 7);
    const auto problem = squares(4, 32, 11);
    const double first = made->train_step(problem.input, problem.masks, cross_entropy);
    double last = first;
    for (int step = 0; step < 60; ++step)
      last = made->train_step(problem.input, problem.masks, cross_entropy);
    CHECK(last < 0.25 * first);
    const auto unseen = squares(4, 32, 12);
    const auto found = (made->logits(unseen.input) > 0).to(torch::kFloat32);
    const double hits = (found * unseen.masks).sum().item<double>();
    CHECK(2 * hits / (found.sum().item<double>() + unseen.masks.sum().item<double>()) > 0.8);
  }
}

TEST_CASE("the returned loss is what was given, before the step and without Dice") {
  auto options = small_options();
  const auto problem = squares(2, 16, 2);
  torch::Tensor seen;
  const auto loss = [&](const torch::Tensor& logits, const torch::Tensor& masks) {
    seen = logits.detach().clone();
    return cross_entropy(logits, masks);
  };
  Made plain(options, 4);
  const double value = plain->train_step(problem.input, problem.masks, loss);
  CHECK(value == doctest::Approx(cross_entropy(seen, problem.masks).item<double>()).epsilon(1e-6));
  options.dice = 3;
  Made with_dice(options, 4);
  CHECK(with_dice->train_step(problem.input, problem.masks, loss) == value);
  // but the step is another one
  CHECK_FALSE(torch::equal(plain->logits(problem.input), with_dice->logits(problem.input)));
}

TEST_CASE("an image's logits do not depend on the others in the batch") {
  Made made(small_options(), 6);
  const auto problem = squares(3, 32, 21);
  made->train_step(problem.input, problem.masks, cross_entropy);
  const auto together = made->logits(problem.input);
  nbs::PredictorInput one;
  one.image = problem.input.image.slice(0, 1, 2);
  CHECK(torch::equal(made->logits(one)[0], together[1]));
}

TEST_CASE("the same seed gives the same numbers, another seed others") {
  auto options = small_options();
  options.dropout = 0.3;
  const auto problem = squares(2, 32, 8);
  const auto trained = [&](std::uint64_t seed) {
    Made made(options, seed);
    for (int step = 0; step < 3; ++step)
      made->train_step(problem.input, problem.masks, cross_entropy);
    return made->logits(problem.input);
  };
  const auto result = trained(9);
  CHECK(torch::equal(result, trained(9)));
  CHECK_FALSE(torch::allclose(result, trained(10)));
}

TEST_CASE("after save and load results and further learning are the same bit for bit") {
  const auto problem = squares(2, 32, 13);
  std::vector<torch::Tensor> results;
  for (const double average : {0.0, 0.9}) {
    auto options = small_options();
    options.ema_decay = average;
    Made original(options, 1);
    for (int step = 0; step < 3; ++step)
      original->train_step(problem.input, problem.masks, cross_entropy);
    Made copy(options, 2);
    restore(*copy, saved(*original));
    CHECK(torch::equal(copy->logits(problem.input), original->logits(problem.input)));
    for (int step = 0; step < 2; ++step) {
      CHECK(copy->train_step(problem.input, problem.masks, cross_entropy) ==
            original->train_step(problem.input, problem.masks, cross_entropy));
    }
    results.push_back(original->logits(problem.input));
    CHECK(torch::equal(copy->logits(problem.input), results.back()));
  }
  // The same steps, but averaged weights predict something else than the last ones.
  CHECK_FALSE(torch::allclose(results[0], results[1]));
}

TEST_CASE("with a schedule the step size falls over the steps that are planned for the run") {
  auto options = small_options();
  const auto problem = squares(2, 16, 4);
  const auto constant = nbs::test::moves_of_head<nbs::unet::UnetPredictor>(options, 2, problem);
  options.schedule = nbs::Schedule::cosine;
  const auto cosine = nbs::test::moves_of_head<nbs::unet::UnetPredictor>(options, 2, problem);
  CHECK(cosine[0] == constant[0]);
  CHECK(cosine[1] < 0.7 * constant[1]);
  CHECK(cosine[2] < 0.05 * constant[2]);
  // Where nobody has said how many there will be, it stays.
  CHECK(nbs::test::moves_of_head<nbs::unet::UnetPredictor>(options, 0, problem) == constant);
}

TEST_CASE("a rising Dice loss weighs as much of its weight as is done of the planned steps") {
  const auto problem = squares(2, 16, 4);
  auto options = small_options();
  const auto made = [&](double dice, nbs::unet::DiceSchedule schedule, std::int64_t planned) {
    options.dice = dice;
    options.dice_schedule = schedule;
    auto facts = nbs::testing::small_facts(1);
    facts.training_steps = planned;
    return std::make_unique<nbs::testing::Owned<nbs::unet::UnetPredictor>>(options, facts);
  };
  const auto step = [&](auto& predictor) {
    (*predictor)->train_step(problem.input, problem.masks, cross_entropy);
    return (*predictor)->logits(problem.input);
  };
  using nbs::unet::DiceSchedule;
  const auto rising = made(3, DiceSchedule::rising, 4);
  const auto without = made(0, DiceSchedule::constant, 4);
  const auto constant = made(1.5, DiceSchedule::constant, 4);
  CHECK(torch::equal(step(rising), step(without)));
  step(rising);
  // Of four steps two are done, so the third is that of half the weight.
  restore(**constant, saved(**rising));
  const auto third = step(rising);
  CHECK(torch::equal(third, step(constant)));
  restore(**without, saved(**constant));
  CHECK_FALSE(torch::equal(step(rising), step(without)));
  // Where nobody has said how many there will be, it stays.
  const auto unplanned = made(1.5, DiceSchedule::rising, 0);
  const auto fresh = made(1.5, DiceSchedule::constant, 0);
  CHECK(torch::equal(step(unplanned), step(fresh)));
}
