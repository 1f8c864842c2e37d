// SPDX-License-Identifier: Apache-2.0
#include "sampler.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/Parallel.h>

#include "nbs/initialize.h"

#include "observer.h"
#include "reinforce.h"

namespace nbs::rl {

namespace {

constexpr std::array<std::array<std::int64_t, 2>, 8> kDirections = {
    {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}, {1, 1}}};

// Draws from softmax(logits).
std::int64_t draw_action(const float* logits, Draw& draw) {
  const double largest = *std::max_element(logits, logits + kActions);
  std::array<double, kActions> weights;
  double total = 0;
  for (std::int64_t a = 0; a < kActions; ++a)
    total += weights[a] = std::exp(logits[a] - largest);
  double left = draw.uniform() * total;
  for (std::int64_t a = 0; a + 1 < kActions; ++a) {
    left -= weights[a];
    if (left < 0) return a;
  }
  return kActions - 1;
}

// A patch anywhere in any image.
Patch jump(const Scene& scene, Draw& draw) {
  const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
  const std::int64_t image = draw.below(scene.image_count());
  const std::int64_t y = draw.below(places);
  return {image, y, draw.below(places)};
}

// Six layers of LibTorch's default would shrink what the policy sees to a hundredth: nearly the same logits anywhere.
void initialize_policy(Policy& policy, at::Generator& generator) {
  initialize(*policy, generator, std::sqrt(6.0));
  auto head = policy->head();
  initialize(*head, generator);
}

}  // namespace

Patch moved(const Patch& patch, std::int64_t action, std::int64_t step, std::int64_t last) {
  const auto& direction = kDirections[static_cast<std::size_t>(action)];
  return {patch.image, std::clamp<std::int64_t>(patch.y + direction[0] * step, 0, last),
          std::clamp<std::int64_t>(patch.x + direction[1] * step, 0, last)};
}

RlSampler::RlSampler(const Options& options, Context& context)
    : options_(options),
      context_(context),
      draw_(context.generator()),
      policy_(Policy(options.window, options.channels, options.hidden), {options.learning_rate}, context,
              initialize_policy),
      fast_(*policy_),
      fast_gradient_(*policy_, fast_) {}

// One that no rollout refers to. Their borders are zero and stay so; all else is written again.
std::shared_ptr<Trace> RlSampler::free_trace(std::int64_t states) {
  const auto is_free = [](const std::shared_ptr<Trace>& trace) { return trace.use_count() == 1; };
  for (const auto& trace : traces_) {
    if (is_free(trace) && trace->states == states) return trace;
  }
  traces_.erase(std::remove_if(traces_.begin(), traces_.end(), is_free), traces_.end());
  traces_.push_back(std::make_shared<Trace>(fast_.make_trace(states)));
  return traces_.back();
}

Rollout RlSampler::sample(Scene& scene, std::int64_t count) {
  return roll_out(scene, free_trace(count), draw_.bits());
}

std::vector<Rollout> RlSampler::sample_all(const std::vector<RolloutRequest>& requests) {
  std::vector<std::uint64_t> seeds;
  std::vector<std::shared_ptr<Trace>> traces;
  for (const auto& request : requests) {
    seeds.push_back(draw_.bits());
    traces.push_back(free_trace(request.count));
  }
  std::vector<Rollout> rollouts(requests.size());
  at::parallel_for(0, static_cast<std::int64_t>(requests.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      rollouts[i] = roll_out(*requests[i].scene, std::move(traces[i]), seeds[i]);
  });
  return rollouts;
}

Rollout RlSampler::roll_out(Scene& scene, std::shared_ptr<Trace> trace, std::uint64_t seed) const {
  torch::NoGradGuard no_grad;
  auto generator = make_generator(seed);
  Draw draw(generator);
  auto memory = std::make_shared<Memory>();
  const std::int64_t count = trace->states;
  memory->actions = torch::empty({count}, torch::kInt64);
  auto* const actions = memory->actions.data_ptr<std::int64_t>();
  const std::int64_t last = scene.image_size() - scene.patch_size();
  Observer observer(options_, scene);
  const std::int64_t row = fast_.inputs().front().row();
  Rollout rollout;
  rollout.patches.reserve(static_cast<std::size_t>(count));
  Patch patch = jump(scene, draw);
  for (std::int64_t t = 0; t < count; ++t) {
    observer.observe(patch, fast_.state(*trace, t), row);
    actions[t] = draw_action(fast_.run(*trace, t), draw);
    const auto after = [&](std::int64_t action) {
      return action == kJump ? jump(scene, draw) : moved(patch, action, options_.step, last);
    };
    const Patch next = after(actions[t]);
    if (options_.credit == Credit::all) {
      auto& each = rollout.alternatives.emplace_back();
      for (std::int64_t a = 0; a < kActions; ++a)
        each.push_back(a == actions[t] ? next : after(a));
    }
    patch = next;
    observer.mark(patch);
    rollout.patches.push_back(patch);
  }
  memory->trace = std::move(trace);
  rollout.memory = std::move(memory);
  return rollout;
}

torch::Tensor RlSampler::states(const Memory& memory) const {
  const auto& input = fast_.inputs().front();
  return torch::from_blob(fast_.state(*memory.trace, 0), {memory.trace->states, input.side, input.side, input.channels},
                          {input.numbers(), input.row(), input.channels, 1}, torch::kFloat32);
}

// [states of all, 9], to differentiate by: as the rollouts computed them, or by the network.
torch::Tensor RlSampler::logits_of(const std::vector<const Memory*>& memories, bool by_hand) {
  std::vector<torch::Tensor> parts;
  for (const auto* memory : memories) {
    auto& trace = *memory->trace;
    if (!by_hand) {
      parts.push_back(states(*memory));
      continue;
    }
    // The parameters are others since if a rollout is learned from twice.
    const bool is_stale = trace.parameters != fast_.parameters();
    for (std::int64_t t = 0; is_stale && t < trace.states; ++t)
      fast_.run(trace, t);
    parts.push_back(torch::from_blob(trace.logits.data(), {trace.states, kActions}, torch::kFloat32));
  }
  const auto all = torch::cat(parts);
  if (by_hand) return all.requires_grad_(true);
  // [N, W, W, 5] seen as [N, 5, W, W] is channels last already.
  return policy_->forward(all.permute({0, 3, 1, 2}).to(context_.device())).to(torch::kCPU);
}

RunningBaseline& RlSampler::baseline(std::size_t index) {
  while (baselines_.size() <= index)
    baselines_.emplace_back(options_.baseline_decay);
  return baselines_[index];
}

torch::Tensor RlSampler::rollout_loss(const RewardedRollout& rewarded, const torch::Tensor& logits, Numbers& numbers) {
  const auto& actions = dynamic_cast<const Memory&>(*rewarded.rollout->memory).actions;
  auto returns = discounted_returns(rewarded.rewards, options_.gamma);
  if (!returns.empty()) numbers.first_return += returns.front();
  const auto count = static_cast<std::int64_t>(returns.size());
  torch::Tensor loss = torch::zeros({});
  std::vector<double> immediate(returns.size(), 0.0);  // reward of the action less what the policy gets in the mean
  if (!rewarded.alternatives.empty()) {
    auto rewards = torch::empty({count, kActions});
    for (std::int64_t t = 0; t < count; ++t)
      std::copy_n(rewarded.alternatives[t].begin(), kActions, rewards.data_ptr<float>() + t * kActions);
    loss = all_action_loss(logits, rewards);
    // The actions taken stand for what comes after them alone.
    const auto expected = (torch::softmax(logits.detach(), 1) * rewards).sum(1);
    for (std::size_t t = 0; t < returns.size(); ++t) {
      returns[t] -= rewarded.rewards[t];
      immediate[t] = rewarded.rewards[t] - expected[static_cast<std::int64_t>(t)].item<double>();
    }
  }
  if (options_.baseline == Baseline::running) baseline(rewarded.index).subtract(returns);
  for (std::size_t t = 0; t < returns.size(); ++t)
    numbers.advantage += std::abs(returns[t] + immediate[t]);
  return loss + reinforce_loss(logits, actions, torch::tensor(returns, torch::kFloat64).to(torch::kFloat32));
}

std::vector<std::pair<std::string, double>> RlSampler::train_step(const std::vector<RewardedRollout>& rollouts) {
  std::vector<const Memory*> memories;
  std::vector<const Trace*> traces;
  for (const auto& rewarded : rollouts) {
    memories.push_back(&dynamic_cast<const Memory&>(*rewarded.rollout->memory));
    traces.push_back(memories.back()->trace.get());
  }
  const bool by_hand = fast_gradient_.fits();
  const auto logits = logits_of(memories, by_hand);
  torch::Tensor loss = torch::zeros({});
  Numbers numbers;
  std::int64_t offset = 0;
  for (const auto& rewarded : rollouts) {
    const auto count = static_cast<std::int64_t>(rewarded.rewards.size());
    loss = loss + rollout_loss(rewarded, logits.slice(0, offset, offset + count), numbers);
    offset += count;
  }
  const double advantage = numbers.advantage / static_cast<double>(logits.size(0));
  const auto entropy = mean_entropy(logits);
  if (options_.entropy_bonus > 0) loss = loss - options_.entropy_bonus * advantage * entropy;
  double norm = 0;
  if (by_hand) {
    loss.backward();
    fast_gradient_.run(traces, logits.grad());
    norm = policy_.step_along_gradients(options_.clip);
  } else {
    norm = policy_.step(loss, options_.clip);
  }
  fast_.update(*policy_);
  return {{"entropy", entropy.item<double>()}, {"return", numbers.first_return}, {"gradient", norm}};
}

void RlSampler::save(State& state) const {
  policy_.save(state);
  state.write_integer("baselines", static_cast<std::int64_t>(baselines_.size()));
  for (std::size_t i = 0; i < baselines_.size(); ++i)
    state.write("baseline." + std::to_string(i), baselines_[i].state());
}

void RlSampler::load(const State& state) {
  policy_.load(state);
  // An iteration has at most two rollouts, each with a baseline.
  const auto count = state.read_integer("baselines", 0, 2);
  baselines_.assign(static_cast<std::size_t>(count), RunningBaseline(options_.baseline_decay));
  for (std::size_t i = 0; i < baselines_.size(); ++i)
    baselines_[i].set_state(state.read_any_shape("baseline." + std::to_string(i), torch::kFloat64));
  fast_.update(*policy_);
}

}  // namespace nbs::rl
