// SPDX-License-Identifier: Apache-2.0
// A sampler that ends the program, or its memory, in the way that the option `how` says.
#include <csignal>
#include <cstdlib>
#include <new>

#include <unistd.h>

#include "nbs/plugin.h"

namespace {

class EndingSampler : public nbs::Sampler {
 public:
  struct Options {
    std::string how = "exit";
    static void declare(nbs::Schema<Options>& s) { s.add("how", &Options::how).doc("What it does."); }
  };
  EndingSampler(const Options& options, nbs::Context&) : how_(options.how) {
    if (how_ == "exit when made") std::exit(0);
    if (how_ == "crash when made") std::raise(SIGSEGV);
    while (how_ == "loop when made")
      usleep(1000);
  }
  static void check(const Options& options, const nbs::Context::Facts& facts) {
    if (options.how == "contradicts")
      throw nbs::Error("it needs patches of 8 pixels, not of " + std::to_string(facts.patch_size));
  }

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    if (how_ == "exit") std::exit(0);
    if (how_ == "quick_exit") std::quick_exit(0);
    if (how_ == "_exit") _exit(0);
    if (how_ == "crash") std::raise(SIGSEGV);
    if (how_ == "crash in a thread") at::parallel_for(0, 64, 1, [](auto, auto) { std::raise(SIGSEGV); });
    if (how_ == "abort") std::abort();
    // Past LibTorch's count of writes.
    if (how_ == "paint") scene.image(scene.image_count() - 1).data_ptr<float>()[0] += 0.25F;
    if (how_ == "bad_alloc") throw std::bad_alloc();
    if (how_ == "tensor") torch::empty({std::int64_t{1} << 45});
    // A signal only interrupts one of the short sleeps.
    for (int i = 0; how_ == "sleep" && i < 600; ++i)
      usleep(100000);
    nbs::Rollout rollout;
    for (std::int64_t i = 0; i < count; ++i) {
      // From LibTorch's global generator, as plugins should not.
      const auto y = how_ == "global" ? torch::randint(16, {1}).item<std::int64_t>() : 0;
      rollout.patches.push_back({i % scene.image_count(), y, 0});
    }
    return rollout;
  }

 private:
  std::string how_;
};

}  // namespace

NBS_PLUGIN("ends", "1") {
  registrar.add<EndingSampler>("ends", "Ends the program.");
}
