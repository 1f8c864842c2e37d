// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/prediction_loss.h"

#include <cmath>

#include <torch/autograd.h>

#include "nbs/error.h"
#include "nbs/torch_compat.h"

#include "torch_test.h"

using nbs::training::class_balance;
using nbs::training::prediction_loss;

TEST_CASE("Eq. 2 on two images of two pixels, computed by hand") {
  const double ln3 = std::log(3.0);  // sigmoid(ln 3) = 3/4
  const auto logits = torch::tensor({{{0.0, ln3}}, {{ln3, -ln3}}}, torch::kFloat64);
  const auto masks = torch::tensor({{{1.0, 0.0}}, {{1.0, 1.0}}}, torch::kFloat64);
  // Image 1: (ln 2 + 0.5 ln 4) / 2; image 2: (ln 4/3 + ln 4) / 2.
  const double expected = ((std::log(2.0) + 0.5 * std::log(4.0)) / 2 + (std::log(4.0 / 3) + std::log(4.0)) / 2) / 2;
  CHECK(prediction_loss(logits, masks, 0.5).item<double>() == doctest::Approx(expected).epsilon(1e-12));
  CHECK(expected == doctest::Approx(0.765067).epsilon(1e-5));
}

TEST_CASE("alpha weighs normal pixels only") {
  const auto logits = torch::tensor({{{0.3, -0.7}}}, torch::kFloat64);
  const auto marked = torch::ones({1, 1, 2}, torch::kFloat64);
  CHECK(prediction_loss(logits, marked, 0.125).item<double>() == prediction_loss(logits, marked, 8.0).item<double>());
  const auto clean = torch::zeros({1, 1, 2}, torch::kFloat64);
  CHECK(prediction_loss(logits, clean, 8.0).item<double>() ==
        doctest::Approx(64 * prediction_loss(logits, clean, 0.125).item<double>()).epsilon(1e-12));
}

TEST_CASE("the mean is taken inside each image first: a large anomaly counts as its image, not as its pixels") {
  auto masks = torch::zeros({2, 4, 4}, torch::kFloat64);
  masks[0].fill_(1);   // all anomalous
  masks[1][0][0] = 1;  // one pixel
  const auto logits = torch::full({2, 4, 4}, -1.0, torch::kFloat64);
  const double missed = std::log1p(std::exp(1.0));
  const double right = std::log1p(std::exp(-1.0));
  const double expected = (missed + (missed + 15 * 0.25 * right) / 16) / 2;
  CHECK(prediction_loss(logits, masks, 0.25).item<double>() == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("the gradient of Eq. 2 agrees with finite differences") {
  auto generator = nbs::make_generator(4);
  const auto logits = (3 * torch::randn({2, 3, 4}, generator, torch::kFloat64)).requires_grad_(true);
  const auto masks = (torch::rand({2, 3, 4}, generator) > 0.5).to(torch::kFloat64);
  const auto gradient = torch::autograd::grad({prediction_loss(logits, masks, 0.3)}, {logits})[0];
  const double step = 1e-6;
  const auto flat = logits.detach().flatten();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const auto at = [&](double shift) {
      auto moved = flat.clone();
      moved[i] += shift;
      return prediction_loss(moved.view({2, 3, 4}), masks, 0.3).item<double>();
    };
    const double slope = (at(step) - at(-step)) / (2 * step);
    CHECK(gradient.flatten()[i].item<double>() == doctest::Approx(slope).epsilon(1e-6));
  }
}

TEST_CASE("logits beyond what exp() can hold give a finite loss") {
  const auto logits = torch::tensor({{{1000.0F, -1000.0F}}});
  CHECK(prediction_loss(logits, torch::tensor({{{1.0F, 0.0F}}}), 1).item<double>() == 0.0);
  CHECK(prediction_loss(logits, torch::tensor({{{0.0F, 1.0F}}}), 1).item<double>() == doctest::Approx(1000));
}

TEST_CASE("pixels that do not count change neither the loss nor its gradient") {
  auto generator = nbs::make_generator(5);
  const auto logits = torch::randn({2, 3, 4}, generator, torch::kFloat64);
  auto masks = (torch::rand({2, 3, 4}, generator) > 0.5).to(torch::kFloat64);
  auto counted = torch::ones({2, 3, 4}, torch::kFloat64);
  counted[0].slice(0, 2).zero_();  // two rows of three are left, and all of the other image
  const auto padded = logits.clone().requires_grad_(true);
  const auto loss = prediction_loss(padded, masks, 0.3, counted);
  const auto alone = [&](std::int64_t image, std::int64_t rows) {
    return prediction_loss(logits.slice(0, image, image + 1).slice(1, 0, rows),
                           masks.slice(0, image, image + 1).slice(1, 0, rows), 0.3)
        .item<double>();
  };
  CHECK(loss.item<double>() == doctest::Approx((alone(0, 2) + alone(1, 3)) / 2).epsilon(1e-12));
  const auto gradient = torch::autograd::grad({loss}, {padded})[0];
  CHECK(gradient[0].slice(0, 2).abs().max().item<double>() == 0);
  CHECK(gradient[0].slice(0, 0, 2).abs().min().item<double>() > 0);
  CHECK(prediction_loss(logits, masks, 0.3, torch::ones_like(logits)).item<double>() ==
        doctest::Approx(prediction_loss(logits, masks, 0.3).item<double>()).epsilon(1e-12));
  CHECK_THROWS_WITH_AS(prediction_loss(logits.slice(0, 0, 1), masks.slice(0, 0, 1), 0.3, counted),
                       doctest::Contains("a part of its batch"), nbs::Error);
}

TEST_CASE("class balance: a number, or anomalous over normal pixels") {
  nbs::config::TrainOptions options;
  options.balance = nbs::config::ClassBalance::fixed;
  options.alpha = 0.7;
  CHECK(class_balance(options, 4, 28) == 0.7);
  options.balance = nbs::config::ClassBalance::balanced;
  CHECK(class_balance(options, 4, 28) == doctest::Approx(4.0 / 28).epsilon(1e-12));
  CHECK_THROWS_AS(class_balance(options, 0, 32), nbs::Error);
  CHECK_THROWS_AS(class_balance(options, 32, 0), nbs::Error);
}
