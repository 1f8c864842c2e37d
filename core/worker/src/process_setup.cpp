// SPDX-License-Identifier: Apache-2.0
#include "process_setup.h"

#include <dlfcn.h>
#include <malloc.h>

#include "nbs/tensor.h"
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

void set_up_process(const Session& session) {
  at::set_num_threads(static_cast<int>(session.threads()));
  keep_blas_off_the_cores();
  // Large tensors come and go in every iteration. Taken from the system each time, they would be paged in and cleared
  // each time, which costs more than the arithmetic on them; from the heap they are used again.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that is accepted
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
  // Denormal numbers, which dying units produce, are slower by two orders of magnitude.
  at::globalContext().setFlushDenormal(true);
  // Nothing of ours draws from it, but plugins may: then they are at least repeatable.
  torch::manual_seed(training::component_seed(static_cast<std::uint64_t>(session.pipeline().seed), "global"));
}

}  // namespace nbs::worker
