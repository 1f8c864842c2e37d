// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>
#include <c10/util/typeid.h>

namespace nbs::host {

struct Origin;

/// Where LibTorch's global generator stands.
struct GlobalGenerator {
  std::uint64_t seed = 0;
  int left = 0;
  std::uint32_t next = 0;

  static GlobalGenerator now();
};

/// What is the whole process' or thread's and not a plugin's: the number of threads, whether gradients are recorded,
/// and the default type of tensors. At the end of the scope it is put back to what it was, and said once for each
/// plugin and method. That random numbers were drawn from LibTorch's global generator is said, but not taken back: the
/// next call would get the same ones. LibTorch's networks draw from it when they are made, so construction is free.
class KeptState {
 public:
  KeptState(const Origin& origin, const char* method);
  ~KeptState();
  KeptState(const KeptState&) = delete;
  KeptState& operator=(const KeptState&) = delete;

 private:
  const Origin& origin_;
  const char* method_;
  int threads_;
  bool gradients_;
  caffe2::TypeMeta type_;
  GlobalGenerator generator_;
};

}  // namespace nbs::host
