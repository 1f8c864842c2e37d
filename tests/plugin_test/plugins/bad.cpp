// SPDX-License-Identifier: Apache-2.0
// One library with a plugin for each way to be bad once it is loaded. Each does what its name says, and nothing else.
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stdexcept>

#include <unistd.h>

#include "nbs/draw.h"
#include "nbs/plugin.h"

namespace {

enum class How {
  good,
  factory,
  middle,
  integer,
  outside,
  few,
  loops,
  exits,
  aborts,
  segfaults,
  leaks,
  global,
  threads,
  undocumented,
  closes,
  prints,
  chdir,
  locale,
  handler,
  writes,
  unseeded,
  shared,
  forgets,
  swallows,
  nan,
  shape,
  type,
  state,
  copies,
  batch,
  uphill,
  together,
};

template <How how>
struct BadOptions {
  std::int64_t step = 1;
  static void declare(nbs::Schema<BadOptions>& s) {
    auto option = s.add("step", &BadOptions::step).range(1, 2);
    if (how != How::undocumented) option.doc("Not used.");
  }
};

/// Uniformly random patches, but for one thing.
template <How how>
class BadSampler : public nbs::Sampler {
 public:
  using Options = BadOptions<how>;
  BadSampler(const Options&, nbs::Context& context) : draw_(context.generator()) {
    if (how == How::factory) throw std::runtime_error("no memory for 3 petabytes");
  }

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    ++calls_;
    misbehave(scene);
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    nbs::Rollout rollout;
    for (std::int64_t i = 0; i < count; ++i)
      rollout.patches.push_back({next(scene.image_count()), next(places), next(places)});
    if (how == How::outside) rollout.patches.back().x = places;
    if (how == How::few) rollout.patches.pop_back();
    if (how == How::forgets) rollout.patches.front().x = calls_ % places;
    return rollout;
  }

 private:
  std::int64_t next(std::int64_t bound) {
    if (how == How::global) return torch::randint(bound, {1}).item<std::int64_t>();
    if (how == How::unseeded) return static_cast<std::int64_t>(std::random_device()()) % bound;
    if (how == How::shared) {
      static std::int64_t counter = 0;
      return ++counter % bound;
    }
    return draw_.below(bound);
  }

  void misbehave(nbs::Scene& scene) {
    if (how == How::middle && calls_ >= 3) throw std::runtime_error("out of cheese");
    if (how == How::integer) throw 3;
    while (how == How::loops)
      usleep(1000);
    if (how == How::exits) std::exit(0);
    if (how == How::aborts) std::abort();
    if (how == How::segfaults) std::raise(SIGSEGV);
    // Volatile, so that the compiler does not leave it out.
    if (how == How::leaks) static_cast<volatile char*>(std::malloc(5000))[0] = 1;
    if (how == How::threads) at::set_num_threads(at::get_num_threads() + 1);
    if (how == How::closes) close(STDOUT_FILENO);
    if (how == How::prints) std::puts("here I am");
    if (how == How::chdir && chdir("/") != 0) throw std::runtime_error("there is no /");
    if (how == How::locale) std::setlocale(LC_ALL, "C.UTF-8");
    if (how == How::handler) std::signal(SIGTERM, SIG_IGN);
    if (how == How::writes) scene.image(0).data_ptr<float>()[0] += 0.25F;
    if (how == How::swallows) {
      try {
        for (int i = 0; i < 4; ++i)
          scene.loss(0, 0, 0, 8, 8);
      } catch (...) {
        calls_ = 0;
      }
    }
  }

  nbs::Draw draw_;
  std::int64_t calls_ = 0;
};

/// Reconstructs a pixel as gain x pixel, but for one thing.
template <How how>
class BadAutoencoder : public nbs::Autoencoder {
 public:
  using Options = BadOptions<how>;
  BadAutoencoder(const Options&, nbs::Context& context) : context_(context), gain_(torch::empty({3, 1, 1})) { reset(); }
  void reset() override { gain_.uniform_(0.2, 0.8, context_.generator()); }
  double train_step(const torch::Tensor& patches) override {
    const auto error = patches * gain_ - patches;
    gain_.sub_((error * patches).mean({0, 2, 3}).view({3, 1, 1}), how == How::uphill ? -0.2 : 0.2);
    if (how == How::state) ++steps_;
    return error.square().mean().item<double>();
  }
  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    auto losses = (patches * gain_ - patches).square().mean(1);
    if (how == How::nan) losses.view({-1})[0] = NAN;
    if (how == How::shape) return losses.unsqueeze(1);
    if (how == How::type) return losses.to(torch::kFloat64);
    if (how == How::state) return losses * (1 + steps_);
    if (how == How::batch) return losses + patches.mean();
    return how == How::together ? last_of(losses) : losses;
  }
  bool concurrent_losses() const override { return how == How::together; }
  std::vector<torch::Tensor> state() override { return {how == How::copies ? gain_.clone() : gain_}; }
  void save(nbs::State& state) const override {
    state.write("gain", gain_);
    state.write_integer("steps", steps_);
  }
  void load(const nbs::State& state) override {
    state.read_into("gain", gain_);
    steps_ = state.read_integer("steps", 0, 1 << 30);
  }

 private:
  // What the last thread that came by has left, which is one's own only for one thread at a time.
  torch::Tensor last_of(const torch::Tensor& losses) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      last_ = losses;
    }
    usleep(2000);
    const std::lock_guard<std::mutex> lock(mutex_);
    return last_;
  }

  nbs::Context& context_;
  torch::Tensor gain_;
  std::int64_t steps_ = 0;
  std::mutex mutex_;
  torch::Tensor last_;
};

/// Gives each map's mean, or, badly, that of all maps of the batch.
template <How how>
class BadPostprocessor : public nbs::Postprocessor {
 public:
  using Options = BadOptions<how>;
  BadPostprocessor(const Options&, nbs::Context&) {}
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor&) override {
    const auto means = how == How::batch ? probabilities.mean() : probabilities.mean({1, 2}, true);
    return (0.5 * probabilities + 0.5 * means).clamp(0, 1);
  }
};

template <How how>
void add_sampler(nbs::Registrar& registrar, const char* name) {
  registrar.add<BadSampler<how>>(name, "A sampler that is bad in one way");
}
template <How how>
void add_autoencoder(nbs::Registrar& registrar, const char* name) {
  registrar.add<BadAutoencoder<how>>(name, "An autoencoder that is bad in one way");
}

}  // namespace

NBS_PLUGIN("bad", "1.0.0") {
  add_sampler<How::good>(registrar, "good");
  add_sampler<How::factory>(registrar, "factory");
  add_sampler<How::middle>(registrar, "middle");
  add_sampler<How::integer>(registrar, "integer");
  add_sampler<How::outside>(registrar, "outside");
  add_sampler<How::few>(registrar, "few");
  add_sampler<How::loops>(registrar, "loops");
  add_sampler<How::exits>(registrar, "exits");
  add_sampler<How::aborts>(registrar, "aborts");
  add_sampler<How::segfaults>(registrar, "segfaults");
  add_sampler<How::leaks>(registrar, "leaks");
  add_sampler<How::global>(registrar, "global");
  add_sampler<How::threads>(registrar, "threads");
  add_sampler<How::undocumented>(registrar, "undocumented");
  add_sampler<How::closes>(registrar, "closes");
  add_sampler<How::prints>(registrar, "prints");
  add_sampler<How::chdir>(registrar, "chdir");
  add_sampler<How::locale>(registrar, "locale");
  add_sampler<How::handler>(registrar, "handler");
  add_sampler<How::writes>(registrar, "writes");
  add_sampler<How::unseeded>(registrar, "unseeded");
  add_sampler<How::shared>(registrar, "shared");
  add_sampler<How::forgets>(registrar, "forgets");
  add_sampler<How::swallows>(registrar, "swallows");
  add_autoencoder<How::good>(registrar, "good");
  add_autoencoder<How::nan>(registrar, "nan");
  add_autoencoder<How::shape>(registrar, "shape");
  add_autoencoder<How::type>(registrar, "type");
  add_autoencoder<How::state>(registrar, "state");
  add_autoencoder<How::copies>(registrar, "copies");
  add_autoencoder<How::batch>(registrar, "batch");
  add_autoencoder<How::uphill>(registrar, "uphill");
  add_autoencoder<How::together>(registrar, "together");
  registrar.add<BadPostprocessor<How::good>>("good", "A postprocessor that is good");
  registrar.add<BadPostprocessor<How::batch>>("batch", "A postprocessor that looks at other images");
}
