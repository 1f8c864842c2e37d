// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "component_test.h"
#include "late_fusion/predictor.h"

namespace {

using nbs::late_fusion::LateFusionPredictor;
using nbs::late_fusion::Options;
using nbs::test::cross_entropy;
using nbs::test::Exercise;
using nbs::test::restore;
using nbs::test::saved;
using Made = nbs::testing::Owned<LateFusionPredictor>;

constexpr std::int64_t kSize = 24;

Options small_options() {
  auto options = nbs::schema_of<Options>().make();
  options.profile.channels = 6;
  options.profile.dilations = {1, 2};
  options.profile.learning_rate = 1e-2;
  options.image.depth = 2;
  options.image.width = 4;
  options.image.learning_rate = 1e-2;
  return options;
}

nbs::Context::Facts facts() {
  auto facts = nbs::testing::small_facts(7);
  facts.training_steps = 20;
  return facts;
}

// Half of the anomalous pixels are seen in the profile alone, half in the image alone.
Exercise half_each(std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  Exercise problem;
  const auto shape = std::vector<std::int64_t>{4, kSize, kSize};
  const auto in_profile = (torch::rand(shape, generator) > 0.85).to(torch::kFloat32);
  const auto in_image = (torch::rand(shape, generator) > 0.85).to(torch::kFloat32);
  problem.masks = torch::max(in_profile, in_image);
  problem.input.profile = torch::rand({4, facts().profile_length, kSize, kSize}, generator);
  problem.input.profile.select(1, 1).add_(in_profile, 2);
  problem.input.image = torch::rand({4, 3, kSize, kSize}, generator) * 0.3;
  problem.input.image.select(1, 0).add_(in_image, 0.7);
  return problem;
}

double error_of(nbs::Predictor& predictor, const Exercise& problem) {
  return cross_entropy(predictor.logits(problem.input), problem.masks).item<double>();
}

}  // namespace

TEST_CASE("its logits are the weighted mean of a dilated network and a U-Net that learn side by side") {
  const auto problem = half_each(3);
  for (const double share : {0.0, 0.25, 1.0}) {
    CAPTURE(share);
    auto options = small_options();
    options.image_share = share;
    options.image.dice = 1;
    options.image.dice_schedule = nbs::unet::DiceSchedule::rising;
    Made fused(options, facts());
    nbs::Context context(facts(), [](const std::string&) {});
    nbs::dilated::DilatedPredictor profile(options.profile, context);
    nbs::unet::UnetPredictor image(options.image, context);
    for (int step = 0; step < 10; ++step) {
      const double loss = fused->train_step(problem.input, problem.masks, cross_entropy);
      torch::Tensor mean = torch::zeros_like(problem.masks);
      const auto with_weight = [&](double weight) {
        return [&mean, weight](const torch::Tensor& logits, const torch::Tensor& masks) {
          mean += weight * logits.detach();
          return cross_entropy(logits, masks);
        };
      };
      profile.train_step(problem.input, problem.masks, with_weight(1 - share));
      image.train_step(problem.input, problem.masks, with_weight(share));
      CHECK(loss == doctest::Approx(cross_entropy(mean, problem.masks).item<double>()));
    }
    const auto expected = (1 - share) * profile.logits(problem.input) + share * image.logits(problem.input);
    CHECK(torch::allclose(fused->logits(problem.input), expected));
  }
}

TEST_CASE("it learns what neither of its networks can see alone") {
  const auto problem = half_each(5);
  const auto unseen = half_each(6);
  double errors[3];
  int i = 0;
  for (const double share : {0.0, 0.5, 1.0}) {
    auto options = small_options();
    options.image_share = share;
    Made made(options, facts());
    for (int step = 0; step < 60; ++step)
      made->train_step(problem.input, problem.masks, cross_entropy);
    errors[i++] = error_of(*made, unseen);
  }
  CHECK(errors[1] < 0.9 * errors[0]);
  CHECK(errors[1] < 0.9 * errors[2]);
}

TEST_CASE("what it saves goes on to the same bits, and is refused by another's networks") {
  const auto problem = half_each(9);
  Made first(small_options(), facts());
  for (int step = 0; step < 3; ++step)
    first->train_step(problem.input, problem.masks, cross_entropy);
  const auto state = saved(*first);
  auto other_seed = facts();
  other_seed.seed = 8;
  Made second(small_options(), other_seed);
  CHECK_FALSE(torch::equal(first->logits(problem.input), second->logits(problem.input)));
  restore(*second, state);
  for (int step = 0; step < 2; ++step) {
    CHECK(torch::equal(first->logits(problem.input), second->logits(problem.input)));
    CHECK(first->train_step(problem.input, problem.masks, cross_entropy) ==
          second->train_step(problem.input, problem.masks, cross_entropy));
  }
  auto wider = small_options();
  wider.image.width = 8;
  Made third(wider, facts());
  CHECK_THROWS_WITH_AS(third->load(state), doctest::Contains("but [8, 3, 3, 3] is wanted"), nbs::Error);
}

TEST_CASE("its options are those of both networks, the U-Net's with a prefix, and reach them") {
  const auto schema = nbs::schema_of<Options>();
  std::vector<std::string> names;
  for (const auto& spec : schema.specs())
    names.push_back(spec.name);
  for (const char* name :
       {"image_share", "channels", "dilations", "learning_rate", "image_depth", "image_learning_rate"})
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  const auto made = schema.make(
      {{"channels", std::int64_t{5}}, {"image_learning_rate", 0.25}, {"image_dice_schedule", std::string("rising")}});
  CHECK(made.profile.channels == 5);
  CHECK(made.profile.learning_rate == 2e-3);
  CHECK(made.image.learning_rate == 0.25);
  CHECK(made.image.dice_schedule == nbs::unet::DiceSchedule::rising);
  Made usual(small_options(), facts());
  CHECK(usual->needs_profile());
  CHECK(usual->needs_image());
}
