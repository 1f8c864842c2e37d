// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <algorithm>
#include <thread>

#include <dlfcn.h>
#include <fmt/format.h>
#include <malloc.h>

#include "nbs/error.h"
#include "nbs/host/search_path.h"
#include "nbs/torch.h"
#include "nbs/training/seeds.h"

namespace nbs::worker {

namespace {

// OpenBLAS comes with threads of its own (Debian's -pthread build) or with OpenMP's, which are LibTorch's. Its own
// would spin beside LibTorch's on the same cores and slow everything down two to three times; the work that matters
// here, convolutions, does not go through BLAS.
void keep_blas_off_the_cores() {
  constexpr int kOwnThreads = 1;
  const auto parallel = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  const auto set_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (parallel != nullptr && set_threads != nullptr && parallel() == kOwnThreads) set_threads(1);
}

}  // namespace

Session::Session(const std::filesystem::path& resolved, std::int64_t threads, Log log, config::Purpose purpose)
    : log_(std::move(log)) {
  const auto document = config::Document::from_file(resolved);
  registry_ = host::Registry::open(host::plugin_search_path({}, config::plugin_path_of(document)));
  pipeline_ = config::resolve(document, registry_->catalog(), purpose);
  const auto& train = pipeline_.train.options;
  threads_ = threads > 0 ? threads : train.threads;
  if (threads_ == 0) threads_ = std::max(1U, std::thread::hardware_concurrency());
  at::set_num_threads(static_cast<int>(threads_));
  keep_blas_off_the_cores();
  // Large tensors come and go in every iteration. Taken from the system each time, they would be paged in and cleared
  // each time, which costs more than the arithmetic on them; from the heap they are used again.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that is accepted
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
  // Denormal numbers, which dying units produce, are slower by two orders of magnitude.
  at::globalContext().setFlushDenormal(true);
  if (train.device == config::Device::cuda && !torch::cuda::is_available())
    throw Error("train.device is \"cuda\", but LibTorch finds no CUDA device here; set it to \"cpu\"");
}

Context& Session::context_for(const std::string& role) {
  Context::Facts facts;
  facts.seed = training::component_seed(static_cast<std::uint64_t>(pipeline_.seed), role);
  facts.image_size = pipeline_.data.options.image_size;
  facts.patch_size = pipeline_.profile.options.patch_size;
  facts.profile_length = pipeline_.profile.options.length;
  facts.threads = threads_;
  facts.device = pipeline_.train.options.device == config::Device::cuda ? torch::kCUDA : torch::kCPU;
  contexts_.push_back(std::make_unique<Context>(facts, log_));
  return *contexts_.back();
}

training::Components Session::make_components() {
  training::Components components;
  const auto& predictor = *pipeline_.predictor;
  components.predictor =
      registry_->make_predictor(predictor.plugin, predictor.values, context_for("predictor"), predictor.place.text());
  if (!components.predictor->needs_profile()) return components;
  if (pipeline_.sampler) {
    const auto& spec = *pipeline_.sampler;
    components.sampler = registry_->make_sampler(spec.plugin, spec.values, context_for("sampler"), spec.place.text());
  }
  if (pipeline_.autoencoder) {
    const auto& spec = *pipeline_.autoencoder;
    components.autoencoder =
        registry_->make_autoencoder(spec.plugin, spec.values, context_for("autoencoder"), spec.place.text());
  }
  return components;
}

std::shared_ptr<Postprocessor> Session::make_postprocessor(const config::ComponentSpec& spec) {
  return registry_->make_postprocessor(spec.plugin, spec.values, context_for("postproc"), spec.place.text());
}

std::vector<std::shared_ptr<Postprocessor>> Session::make_postprocessors(const std::vector<OptionValues>& values) {
  std::vector<std::shared_ptr<Postprocessor>> chain;
  for (std::size_t i = 0; i < pipeline_.postproc.size(); ++i) {
    auto spec = pipeline_.postproc[i];
    if (i < values.size()) spec.values = values[i];
    chain.push_back(make_postprocessor(spec));
  }
  return chain;
}

torch::Tensor postprocess(const std::vector<std::shared_ptr<Postprocessor>>& chain, torch::Tensor probabilities,
                          const torch::Tensor& images) {
  if (probabilities.size(0) == 0) return probabilities;
  for (const auto& link : chain)
    probabilities = link->apply(probabilities.contiguous(), images);
  return probabilities;
}

}  // namespace nbs::worker
