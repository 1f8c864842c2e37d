// SPDX-License-Identifier: Apache-2.0
#include "fast_policy_gradient.h"

#include <tuple>
#include <vector>

#include <torch/autograd.h>

#include "nbs/adam.h"
#include "nbs/initialize.h"
#include "nbs/torch_compat.h"

#include "test_trace.h"
#include "torch_test.h"

using nbs::rl::FastPolicy;
using nbs::rl::FastPolicyGradient;
using nbs::rl::Policy;
using nbs::rl::Trace;

namespace {

using Channels = std::vector<std::int64_t>;

// A policy as training has it, states, and their traces, which hold `lengths` states.
struct Learned {
  Learned(std::int64_t window, const Channels& channels, std::int64_t hidden, const Channels& lengths)
      : generator(nbs::make_generator(window)), policy(window, channels, hidden) {
    for (auto& parameter : policy->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    adam = nbs::FlatAdam(policy->parameters(), {});
    nbs::initialize(*policy, generator, 2.4);
    FastPolicy fast(*policy);
    for (const auto length : lengths) {
      states.push_back(torch::randn({length, window, window, 5}, generator));
      traces.push_back(fast.make_trace(length));
      for (std::int64_t t = 0; t < length; ++t) {
        write_state(states.back()[t], fast, traces.back(), t);
        fast.run(traces.back(), t);
      }
    }
    of_logits = torch::randn({torch::cat(states).size(0), 9}, generator);
    FastPolicyGradient gradient(*policy, fast);
    REQUIRE(gradient.fits());
    std::vector<const Trace*> pointers;
    for (const auto& trace : traces)
      pointers.push_back(&trace);
    for (const auto& parameter : policy->parameters())
      parameter.grad().fill_(7);  // to be overwritten
    gradient.run(pointers, of_logits);
    CHECK_THROWS_AS(gradient.run(pointers, of_logits.slice(0, 1)), nbs::Error);
  }

  at::Generator generator;
  Policy policy;
  nbs::FlatAdam adam;
  std::vector<torch::Tensor> states;
  std::vector<Trace> traces;
  torch::Tensor of_logits;
};

}  // namespace

TEST_CASE("the gradient from traces is LibTorch's, for all shapes and numbers of threads") {
  const int before = at::get_num_threads();
  for (const auto& tested :
       {std::tuple{64, Channels{16, 32, 32, 64, 64}, 128}, std::tuple{8, Channels{3}, 5},
        std::tuple{9, Channels{17, 5}, 33}, std::tuple{15, Channels{4, 4, 4, 4, 4}, 16},
        std::tuple{12, Channels{16}, 1}, std::tuple{33, Channels{8, 20, 9}, 40}, std::tuple{8, Channels{}, 7}}) {
    const auto& [window, channels, hidden] = tested;
    for (const int threads : {1, 2, 3, 16}) {
      CAPTURE(std::get<0>(tested));
      CAPTURE(threads);
      at::set_num_threads(threads);
      Learned learned(window, channels, hidden, {3, 1, 4});
      const auto parameters = learned.policy->parameters();
      const auto logits = learned.policy->forward(torch::cat(learned.states).permute({0, 3, 1, 2}));
      const auto expected = torch::autograd::grad({(logits * learned.of_logits).sum()}, parameters);
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        CAPTURE(i);
        const auto& found = parameters[i].grad();
        const double largest = expected[i].abs().max().item<double>();
        CHECK(largest > 1e-2);
        CHECK((found - expected[i]).abs().max().item<double>() < 1e-4 * largest);
      }
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("the same states and threads give the same bits of the gradient") {
  Learned once(16, {8, 8}, 32, {9, 12});
  Learned again(16, {8, 8}, 32, {9, 12});
  for (const auto& item : once.policy->named_parameters())
    CHECK(torch::equal(item.value().grad(), again.policy->named_parameters()[item.key()].grad()));
}

TEST_CASE("a policy that lies otherwise is LibTorch's to differentiate") {
  const auto fits = [](Policy policy) {
    const FastPolicy fast(*policy);
    return FastPolicyGradient(*policy, fast).fits();
  };
  Policy without_gradients(8, Channels{3}, 5);
  CHECK_FALSE(fits(without_gradients));
  Policy rows_first(8, Channels{3}, 5);
  nbs::FlatAdam adam(rows_first->parameters(), {});
  CHECK_FALSE(fits(rows_first));
}
