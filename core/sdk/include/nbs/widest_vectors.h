// SPDX-License-Identifier: Apache-2.0
#pragma once

// A test sets it to look at what processors with narrower vectors run.
#ifndef NBS_WIDEST_VECTORS
#define NBS_WIDEST_VECTORS 4
#endif

namespace nbs {

/// The widest vectors of x86-64 that this processor has and code here is compiled for: 4 (AVX-512), 3 (AVX2), or 1
/// (SSE; other processors; the address sanitizer, which is to see the plain code).
inline int vector_level() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
  static const int level = __builtin_cpu_supports("x86-64-v4") ? 4 : __builtin_cpu_supports("x86-64-v3") ? 3 : 1;
  return level < NBS_WIDEST_VECTORS ? level : NBS_WIDEST_VECTORS;
#else
  return 1;
#endif
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
template <typename Body>
__attribute__((target("arch=x86-64-v4"))) void call_in_v4(const Body& body) {
  body();
}
template <typename Body>
__attribute__((target("arch=x86-64-v3"))) void call_in_v3(const Body& body) {
  body();
}
#endif

/// Calls `body`, compiled for several instruction sets, in the widest that the processor has, so that one binary runs
/// everywhere. `body` must be a lambda that is always inlined: [&]() __attribute__((always_inline)) { … }. For whole
/// functions of one library see NBS_MULTIVERSION; this is for headers.
template <typename Body>
void in_widest_vectors(const Body& body) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (vector_level() == 4) return call_in_v4(body);
  if (vector_level() == 3) return call_in_v3(body);
#endif
  body();
}

}  // namespace nbs
