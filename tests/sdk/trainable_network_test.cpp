// SPDX-License-Identifier: Apache-2.0
#include "nbs/trainable_network.h"

#include <cmath>
#include <tuple>
#include <vector>

#include "nbs/error.h"

#include "torch_test.h"

namespace {

// One number, which is also the output.
class NumberImpl : public torch::nn::Module {
 public:
  NumberImpl() : value_(register_parameter("value", torch::zeros({1}))) {}
  torch::Tensor forward() { return value_; }
  double value() const { return value_.item<double>(); }

 private:
  torch::Tensor value_;
};
TORCH_MODULE(Number);

nbs::TrainableNetwork<Number> made(nbs::Context& context, std::int64_t annealing_steps) {
  nbs::TrainableNetwork<Number>::Settings settings;
  settings.learning_rate = 0.5;
  settings.annealing_steps = annealing_steps;
  return {Number(), settings, context, [](Number& number, at::Generator&) {
            torch::NoGradGuard no_grad;
            number->parameters()[0].zero_();
          }};
}

nbs::Context plain_context() {
  return {{}, [](const std::string&) {}};
}

// With a gradient of 1 in every step, Adam moves by the step size alone.
std::vector<double> moves(nbs::TrainableNetwork<Number>& network, int steps) {
  std::vector<double> found;
  for (int i = 0; i < steps; ++i) {
    const double before = network->value();
    network.step(network->forward().sum());
    found.push_back(before - network->value());
  }
  return found;
}

// Half a cosine from 0.5 to a hundredth of it over `steps`.
double expected_rate(int done, double steps) {
  if (done >= steps) return 0.005;
  return 0.005 + 0.495 * (1 + std::cos(std::acos(-1.0) * done / steps)) / 2;
}

}  // namespace

TEST_CASE("the step size falls along half a cosine to a hundredth, and stays there") {
  auto context = plain_context();
  auto network = made(context, 10);
  const auto found = moves(network, 14);
  for (int i = 0; i < 14; ++i) {
    CAPTURE(i);
    CHECK(found[static_cast<std::size_t>(i)] == doctest::Approx(expected_rate(i, 10)).epsilon(1e-3));
  }
  CHECK(expected_rate(0, 10) == doctest::Approx(0.5));
  CHECK(expected_rate(5, 10) == doctest::Approx(0.2525));
}

TEST_CASE("without it the step size stays") {
  auto context = plain_context();
  auto network = made(context, 0);
  for (const double move : moves(network, 14))
    CHECK(move == doctest::Approx(0.5).epsilon(1e-3));
}

TEST_CASE("what was saved goes on with the step size that it had reached, and reset() starts again") {
  auto context = plain_context();
  auto network = made(context, 10);
  moves(network, 6);
  nbs::State state;
  network.save(state);
  auto other = made(context, 10);
  other.load(state);
  CHECK(moves(other, 1)[0] == doctest::Approx(expected_rate(6, 10)).epsilon(1e-3));
  other.reset();
  CHECK(moves(other, 1)[0] == doctest::Approx(0.5).epsilon(1e-3));
}

TEST_CASE("a step along gradients that were written by hand is the step of a loss that has them") {
  auto context = plain_context();
  auto by_loss = made(context, 0);
  auto by_hand = made(context, 0);
  for (int i = 1; i <= 3; ++i) {
    by_loss.step(by_loss->forward().sum() * i);
    by_hand->parameters()[0].grad().fill_(i);
    by_hand.step_along_gradients();
    CHECK(by_hand->value() == by_loss->value());
    CHECK(by_hand.steps() == i);
  }
  CHECK(by_hand->value() != 0);
}

TEST_CASE("a gradient is scaled to the norm that is allowed, and its norm before is told") {
  auto context = plain_context();
  auto plain = made(context, 0);
  auto by_loss = made(context, 0);
  auto by_hand = made(context, 0);
  // Adam's first step is the same for gradients of all sizes.
  for (const auto& [gradient, allowed, used] :
       {std::tuple{1.0, 2.0, 1.0}, std::tuple{-3.0, 2.0, -2.0}, std::tuple{5.0, 0.0, 5.0}}) {
    plain.step(plain->forward().sum() * used);
    CHECK(by_loss.step(by_loss->forward().sum() * gradient, allowed) == doctest::Approx(std::abs(gradient)));
    by_hand->parameters()[0].grad().fill_(gradient);
    CHECK(by_hand.step_along_gradients(allowed) == doctest::Approx(std::abs(gradient)));
    CHECK(by_loss->value() == doctest::Approx(plain->value()));
    CHECK(by_hand->value() == by_loss->value());
  }
}
