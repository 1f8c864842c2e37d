// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <torch/version.h>

#if __has_include(<c10/macros/cmake_macros.h>)
#include <c10/macros/cmake_macros.h>
#endif

#include "nbs/api_version.h"

// What a plugin library was built for, as plain data: the host reads this record before any C++
// type crosses.

namespace nbs {

/// With which every record begins.
inline constexpr char kAbiMagic[8] = {'n', 'b', 's', '-', 'a', 'b', 'i', '\0'};

/// Plain data with C layout. Texts are zero terminated.
struct AbiRecord {
  char magic[8];               ///< kAbiMagic
  std::uint32_t struct_size;   ///< of this record
  std::uint32_t api_major;     ///< kApiMajor
  std::uint32_t api_minor;     ///< kApiMinor
  std::uint32_t cuda;          ///< 1 if LibTorch was built with CUDA
  std::uint32_t cpp_standard;  ///< __cplusplus
  std::uint32_t cxx11_abi;     ///< _GLIBCXX_USE_CXX11_ABI
  char libtorch[32];           ///< for example "1.13.0"
  char compiler[64];           ///< for example "gcc 12.2.0"
  char build_type[16];         ///< "release" (NDEBUG) or "debug"
  char plugin_name[64];        ///< the first word of NBS_PLUGIN
  char plugin_version[32];     ///< its second
};

namespace detail {

template <std::size_t N>
constexpr void copy_text(char (&to)[N], const char* from) {
  std::size_t i = 0;
  for (; i + 1 < N && from[i] != '\0'; ++i)
    to[i] = from[i];
  for (; i < N; ++i)
    to[i] = '\0';
}

constexpr std::uint32_t built_with_cuda() {
#if defined(C10_BUILD_WITH_CUDA) || defined(NBS_WITH_CUDA)
  return 1;
#else
  return 0;
#endif
}

}  // namespace detail

/// The record of the translation unit that calls it.
constexpr AbiRecord make_abi_record(const char* name, const char* version) {
  AbiRecord record{};
  for (int i = 0; i < 8; ++i)
    record.magic[i] = kAbiMagic[i];
  record.struct_size = sizeof(AbiRecord);
  record.api_major = kApiMajor;
  record.api_minor = kApiMinor;
  record.cuda = detail::built_with_cuda();
  record.cpp_standard = static_cast<std::uint32_t>(__cplusplus);
  record.cxx11_abi = _GLIBCXX_USE_CXX11_ABI;
  detail::copy_text(record.libtorch, TORCH_VERSION);
#ifdef __clang__
  detail::copy_text(record.compiler, "clang " __clang_version__);
#else
  detail::copy_text(record.compiler, "gcc " __VERSION__);
#endif
#ifdef NDEBUG
  detail::copy_text(record.build_type, "release");
#else
  detail::copy_text(record.build_type, "debug");
#endif
  detail::copy_text(record.plugin_name, name);
  detail::copy_text(record.plugin_version, version);
  return record;
}

}  // namespace nbs
