// SPDX-License-Identifier: Apache-2.0
#include "nbs/state.h"

#include <limits>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "nbs/adam.h"
#include "nbs/module_state.h"
#include "nbs/weight_average.h"

#include "error_text.h"
#include "fakes.h"

using doctest::Contains;
using nbs::State;
using nbs::test::error_text;

TEST_CASE("a state gives back what was written, whatever becomes of the original") {
  State state;
  auto live = torch::arange(6, torch::kFloat32).view({2, 3}).t();  // not contiguous
  state.write("matrix", live);
  state.write_integer("count", -3);
  const auto before = live.clone();
  live.zero_();
  CHECK(torch::equal(state.read("matrix", {3, 2}, torch::kFloat32), before));
  CHECK(state.read_integer("count", -5, 5) == -3);
  state.require_all_read();
  auto target = torch::zeros({3, 2});
  state.read_into("matrix", target);
  CHECK(torch::equal(target, before));
}

TEST_CASE("what is missing, of another shape or type, or left over is a sentence with both values") {
  State state;
  state.set_origin("model/predictor.safetensors");
  state.write("weight", torch::zeros({2, 3}));
  state.write_integer("count", 7);
  const std::string advice = "; it belongs to another pipeline or version, so run this one again";
  const auto text = [&](const std::string& reason) { return nbs::test::text(reason + advice); };
  CHECK(error_text([&] { state.read("bias", {2}, torch::kFloat32); }) ==
        text("the tensor \"bias\" is not in model/predictor.safetensors"));
  CHECK(error_text([&] {
          state.read("weight", {3, 2}, torch::kFloat32);
        }) == text("the tensor \"weight\" of model/predictor.safetensors has the shape [2, 3], but [3, 2] is wanted"));
  CHECK(error_text([&] {
          state.read("weight", {2, 3}, torch::kFloat64);
        }) == text("the tensor \"weight\" of model/predictor.safetensors is Float, but Double is wanted"));
  // No broadcasting: a single row would go into every row.
  auto live = torch::zeros({4, 2, 3});
  CHECK(error_text([&] { state.read_into("weight", live); }) == Contains("but [4, 2, 3] is wanted"));
  CHECK(error_text([&] { state.read_integer("count", 0, 6); }) ==
        text("\"count\" of model/predictor.safetensors is 7, but 0 to 6 is possible"));
  State fresh;
  fresh.write_integer("a", 1);
  fresh.write_integer("b", 1);
  fresh.read_integer("b", 0, 1);
  CHECK(error_text([&] { fresh.require_all_read(); }) == Contains("the tensor \"a\" of the saved state was not read"));
}

TEST_CASE("what cannot be kept is refused when it is written") {
  State state;
  state.write("a", torch::zeros({1}));
  CHECK(error_text([&] { state.write("a", torch::zeros({1})); }) == Contains("two tensors"));
  for (const char* name : {"", "__metadata__", "new\nline", "\xFF"})
    CHECK(error_text([&] { state.write(name, torch::zeros({1})); }) == Contains("not printable ASCII"));
  CHECK(error_text([&] { state.write("b", {}); }) == Contains("it is not defined"));
  CHECK(error_text([&] { state.write("b", torch::zeros({1}, torch::kComplexFloat)); }) == Contains("cannot be saved"));
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    CHECK_THROWS_AS(state.write("b", torch::tensor({1.0F, value})), nbs::NotFiniteError);
  CHECK(state.tensors().size() == 1);
}

TEST_CASE("a tensor is finite as LibTorch says it, of any type, order and size") {
  using Limits = std::numeric_limits<float>;
  for (const float value : {0.0F, -0.0F, 1e-42F, Limits::max(), Limits::lowest(), Limits::denorm_min(),
                            Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()}) {
    CAPTURE(value);
    for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16}) {
      auto exact = torch::ones({3, 5, 7}, torch::kFloat64);
      exact[1][4][6] = static_cast<double>(value);
      const auto tensor = exact.to(type);
      const bool expected = torch::isfinite(tensor).all().item<bool>();
      CHECK(State::all_finite(tensor) == expected);
      CHECK(State::all_finite(tensor.permute({2, 0, 1})) == expected);
      CHECK(State::all_finite(tensor[1][4].slice(0, 6)) == expected);
      CHECK(State::all_finite(tensor[0]));
    }
  }
  CHECK(State::all_finite(torch::empty({0})));
  CHECK(State::all_finite(torch::arange(3)));
}

TEST_CASE("a module, its optimizer and its average go into another object with every bit") {
  const auto make = [](std::uint64_t seed) {
    torch::manual_seed(seed);
    torch::nn::Sequential network(torch::nn::Conv2d(2, 3, 3), torch::nn::BatchNorm2d(3));
    return network;
  };
  auto first = make(1);
  auto second = make(2);
  nbs::FlatAdam adam(first->parameters(), {});
  nbs::WeightAverage average(*first, 0.5);
  first->forward(torch::rand({4, 2, 5, 5})).sum().backward();
  adam.step();
  average.update();
  State state;
  nbs::save_module(*first, state);
  adam.save(state);
  average.save(state);
  nbs::FlatAdam other_adam(second->parameters(), {});
  nbs::WeightAverage other_average(*second, 0.5);
  nbs::load_module(*second, state);
  other_adam.load(state);
  other_average.load(state);
  state.require_all_read();
  State again;
  nbs::save_module(*second, again);
  other_adam.save(again);
  other_average.save(again);
  CHECK(nbs::test::same(again, state));
  CHECK(state.tensors().size() == 4 + 3 + 3 + 1 + 6);
}
