// SPDX-License-Identifier: Apache-2.0
// Level 9: memory that is in use does not grow from call to call. The first half of the calls is for caches to fill.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <malloc.h>

#include "nbs/tensor.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

// Of the heap, bytes that were asked for and not given back.
double bytes_in_use() {
#if __GLIBC_PREREQ(2, 33)
  const auto heap = mallinfo2();
#else
  const auto heap = mallinfo();
#endif
  return static_cast<double>(heap.uordblks) + static_cast<double>(heap.hblkhd);
}

// The calls that a run makes most often, on the smallest input, without anything of this program that grows.
class Repeated {
 public:
  Repeated(const Subject& subject, const Context::Facts& facts)
      : made_(make_component(subject, facts, 3)),
        scene_(2, 1, facts.image_size, facts.patch_size),
        patches_(made_images(2, facts.patch_size, 1)),
        probabilities_(made_probabilities(1, 32, 1)),
        images_(made_images(1, 32, 1)) {
    if (made_.sampler) made_.sampler->begin_cycle();
    if (made_.autoencoder) made_.autoencoder->reset();
    if (made_.predictor) input_ = predictor_input(*made_.predictor, facts, 1, 32, 1);
  }
  void call() {
    if (made_.sampler) {
      const auto rollout = made_.sampler->sample(scene_, 4);
      if (made_.sampler->is_trainable()) made_.sampler->train_step({made_rewarded(rollout, 0)});
    } else if (made_.autoencoder) {
      made_.autoencoder->train_step(patches_);
      made_.autoencoder->pixel_loss(patches_);
    } else if (made_.predictor) {
      made_.predictor->logits(input_);
    } else {
      made_.postprocessor->apply(probabilities_, images_);
    }
  }

 private:
  Made made_;
  MadeScene scene_;
  torch::Tensor patches_;
  torch::Tensor probabilities_;
  torch::Tensor images_;
  PredictorInput input_;
};

}  // namespace

void check_memory(const Subject& subject, Notes& notes) {
#ifdef __SANITIZE_ADDRESS__
  notes.tried("nothing: the address sanitizer keeps memory that was given back, and finds leaks itself");
  static_cast<void>(subject);
#else
  using Clock = std::chrono::steady_clock;
  notes.tried(fmt::format("{} calls", subject.settings.calls));
  Repeated repeated(subject, fitting_facts(subject));
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  std::int64_t first_half = 0;
  while (first_half < std::max<std::int64_t>(1, subject.settings.calls / 2) &&
         seconds() < 0.3 * subject.settings.seconds) {
    repeated.call();
    ++first_half;
  }
  const double before = bytes_in_use();
  for (std::int64_t i = 0; i < first_half; ++i)
    repeated.call();
  const double grown = bytes_in_use() - before;
  const auto calls = 2 * first_half;
  notes.tried(fmt::format("{} calls, of {} wanted{}", calls, subject.settings.calls,
                          calls < subject.settings.calls ? " (the time was over)" : ""));
  constexpr double kLeastInAll = 16 * 1024;
  constexpr double kLeastPerCall = 16;
  const double per_call = grown / static_cast<double>(first_half);
  if (grown < kLeastInAll || per_call < kLeastPerCall) return;
  notes.fail(fmt::format("{} keeps {:.0f} more bytes with every call ({:.1f} MiB in {} calls)", subject.label(),
                         per_call, grown / (1 << 20), first_half),
             "give back what a call needs when it ends, and limit what you remember; tensors with a gradient keep all "
             "that they were made of (detach())");
#endif
}

}  // namespace nbs::plugin_test
