// SPDX-License-Identifier: Apache-2.0
#pragma once

// NBS_MULTIVERSION before a function: it is compiled for several instruction sets, and the best that the processor has
// is chosen when the program starts, so one binary runs everywhere. Sanitizers cannot follow that choice and get one
// version. Levels, not processors' names: a name is matched exactly, and no other maker's processor would ever be it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define NBS_MULTIVERSION __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define NBS_MULTIVERSION
#endif
