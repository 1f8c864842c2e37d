// SPDX-License-Identifier: Apache-2.0
// Level 8: the result of one patch, image or map does not depend on the others of its batch, but for the last bits, nor
// on what other threads ask an autoencoder that allows it.
#include <array>
#include <exception>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <omp.h>

#include "nbs/tensor.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

torch::Tensor part_of(const torch::Tensor& tensor, std::int64_t from, std::int64_t to) {
  return tensor.defined() ? tensor.slice(0, from, to).contiguous() : tensor;
}

// Answers about items `from` to `to` of six, behind some steps of learning.
class Asked {
 public:
  Asked(const Subject& subject, const Context::Facts& facts) : made_(make_component(subject, facts, 3)), facts_(facts) {
    if (made_.autoencoder) {
      made_.autoencoder->reset();
      for (std::uint64_t i = 0; i < 3; ++i)
        learn(i);
    }
  }
  // Autoencoders only.
  void learn(std::uint64_t seed) { made_.autoencoder->train_step(made_images(6, facts_.patch_size, seed)); }
  bool allows_threads() const { return made_.autoencoder && made_.autoencoder->concurrent_losses(); }
  torch::Tensor answer(std::int64_t from, std::int64_t to) {
    constexpr std::int64_t n = 6;
    if (made_.autoencoder)
      return made_.autoencoder->pixel_loss(part_of(made_images(n, facts_.patch_size, 9), from, to));
    const auto size = facts_.image_size / 2;
    if (made_.predictor) {
      const auto all = predictor_input(*made_.predictor, facts_, n, size, 9);
      return made_.predictor->logits({part_of(all.profile, from, to), part_of(all.image, from, to)});
    }
    return made_.postprocessor->apply(part_of(made_probabilities(n, size, 9), from, to),
                                      part_of(made_images(n, size, 10), from, to));
  }

 private:
  Made made_;
  Context::Facts facts_;
};

const char* method_of(Kind kind) {
  if (kind == Kind::autoencoder) return "pixel_loss";
  return kind == Kind::predictor ? "logits" : "apply";
}

// What three threads get of `asked` at the same time, each for two of six.
std::array<torch::Tensor, 3> answers_side_by_side(Asked& asked) {
  std::array<torch::Tensor, 3> answers;
  std::array<std::exception_ptr, 3> failures;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] {
      omp_set_num_threads(1);
      try {
        answers[i] = asked.answer(2 * static_cast<std::int64_t>(i), 2 * static_cast<std::int64_t>(i) + 2);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return answers;
}

void check_threads(const Subject& subject, Asked& asked, Notes& notes) {
  constexpr std::uint64_t kSteps = 30;
  notes.tried("six in one batch, each alone, three and three, and by three threads at the same time");
  for (std::uint64_t round = 0; round < kSteps; ++round) {
    asked.learn(round);
    const auto side_by_side = answers_side_by_side(asked);
    for (std::size_t i = 0; i < side_by_side.size(); ++i) {
      const auto first = 2 * static_cast<std::int64_t>(i);
      if (torch::equal(side_by_side[i], asked.answer(first, first + 2))) continue;
      notes.fail(fmt::format("{}, concurrent_losses() says that several threads may ask at the same time, but then "
                             "pixel_loss() gives them other results than one after the other",
                             subject.label()),
                 "keep what a call works on to itself, and guard what calls share with a std::mutex; or leave "
                 "concurrent_losses() out");
      return;
    }
  }
}

}  // namespace

void check_batches(const Subject& subject, Notes& notes) {
  notes.tried("six in one batch, each alone, and three and three");
  Asked asked(subject, fitting_facts(subject));
  const auto together = asked.answer(0, 6);
  std::vector<torch::Tensor> alone;
  for (std::int64_t i = 0; i < 6; ++i)
    alone.push_back(asked.answer(i, i + 1));
  const auto halves = torch::cat({asked.answer(0, 3), asked.answer(3, 6)});
  for (const auto& other : {torch::cat(alone), halves}) {
    if (nearly_same(together, other)) continue;
    notes.fail(
        fmt::format("{}, {}() gives one of a batch another result, by up to {:.3g}, when other ones are in the "
                    "batch",
                    subject.label(), method_of(subject.plugin.kind), (together - other).abs().max().item<double>()),
        "normalize within one of them, or by stored values (batch normalization uses its running statistics "
        "there)");
    return;
  }
  if (asked.allows_threads()) check_threads(subject, asked, notes);
}

}  // namespace nbs::plugin_test
