// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nbs/widest_vectors.h"

/// Code over rows of channels that is written once and compiled for several instruction sets, in the vectors of each.
/// GCC keeps vectors that are wider than the processor's in memory, which is several times slower, so the widest one is
/// a parameter.
namespace nbs::vectors {

#define NBS_INLINE inline __attribute__((always_inline))

using Sixteen = float __attribute__((vector_size(64), aligned(4)));
using Eight = float __attribute__((vector_size(32), aligned(4)));
using Four = float __attribute__((vector_size(16), aligned(4)));

// An instruction set: its widest vector, and how many rows of a product are summed at once so that the sums fill its
// registers.
struct Avx512 {
  using Vector = Sixteen;
  static constexpr int kRowsOfPairs = 8;
  static constexpr int kRows = 16;
};
struct Avx2 {
  using Vector = Eight;
  static constexpr int kRowsOfPairs = 4;
  static constexpr int kRows = 8;
};
struct Narrow {
  using Vector = Four;
  static constexpr int kRowsOfPairs = 4;
  static constexpr int kRows = 8;
};

// Vectors are handed over by reference: by value, how they are passed would depend on the instruction set.
// A struct, as a template's argument loses its alignment; not memcpy(), which GCC splits into halves for AVX2.
template <typename T>
NBS_INLINE void load(const float* from, T& value) {
  struct __attribute__((packed, may_alias)) Anywhere {
    T value;
  };
  value = reinterpret_cast<const Anywhere*>(from)->value;
}
template <typename T>
NBS_INLINE void store(const T& value, float* to) {
  struct __attribute__((packed, may_alias)) Anywhere {
    T value;
  };
  reinterpret_cast<Anywhere*>(to)->value = value;
}

// Numbers that are worked on at once.
struct InSixteen {
  using Type = Sixteen;
};
struct InEight {
  using Type = Eight;
};
struct InFour {
  using Type = Four;
};
struct InOne {
  using Type = float;
};

/// Calls body(InSixteen(), c), body(InEight(), c) and so on, from the widest down, until all channels are done.
template <typename Width, typename Body>
NBS_INLINE void for_each_channel(std::int64_t channels, const Body& body) {
  std::int64_t c = 0;
  if constexpr (sizeof(typename Width::Vector) == sizeof(Sixteen)) {
    for (; c + 16 <= channels; c += 16)
      body(InSixteen(), c);
  }
  if constexpr (sizeof(typename Width::Vector) >= sizeof(Eight)) {
    for (; c + 8 <= channels; c += 8)
      body(InEight(), c);
  }
  for (; c + 4 <= channels; c += 4)
    body(InFour(), c);
  for (; c < channels; ++c)
    body(InOne(), c);
}

/// Calls pass.run<Width>(first, last), compiled for the widest vectors that the processor has; `Width` is Avx512, Avx2
/// or Narrow. run() must be always inlined.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
template <typename Pass>
__attribute__((target("arch=x86-64-v4"))) void run_v4(const Pass& pass, std::int64_t first, std::int64_t last) {
  pass.template run<Avx512>(first, last);
}
template <typename Pass>
__attribute__((target("arch=x86-64-v3"))) void run_v3(const Pass& pass, std::int64_t first, std::int64_t last) {
  pass.template run<Avx2>(first, last);
}
#endif
template <typename Pass>
void run_in_widest(const Pass& pass, std::int64_t first, std::int64_t last) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (vector_level() == 4) return run_v4(pass, first, last);
  if (vector_level() == 3) return run_v3(pass, first, last);
#endif
  pass.template run<Narrow>(first, last);
}
#undef NBS_INLINE

}  // namespace nbs::vectors
