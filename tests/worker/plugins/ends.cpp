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
  EndingSampler(const Options& options, nbs::Context&) : how_(options.how) {}

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    if (how_ == "exit") std::exit(0);
    if (how_ == "quick_exit") std::quick_exit(0);
    if (how_ == "_exit") _exit(0);
    if (how_ == "crash") std::raise(SIGSEGV);
    if (how_ == "bad_alloc") throw std::bad_alloc();
    if (how_ == "tensor") torch::empty({std::int64_t{1} << 45});
    // A signal only interrupts one of the short sleeps.
    for (int i = 0; how_ == "sleep" && i < 600; ++i)
      usleep(100000);
    nbs::Rollout rollout;
    for (std::int64_t i = 0; i < count; ++i)
      rollout.patches.push_back({i % scene.image_count(), 0, 0});
    return rollout;
  }

 private:
  std::string how_;
};

}  // namespace

NBS_PLUGIN("ends", "1") {
  registrar.add<EndingSampler>("ends", "Ends the program.");
}
