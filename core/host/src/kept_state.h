// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>

namespace nbs::host {

struct Origin;

/// What is the whole process' or thread's and not a plugin's: the number of threads, whether gradients are recorded,
/// and the default type of tensors. At the end of the scope it is put back to what it was, and said once for each
/// plugin and method.
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
};

}  // namespace nbs::host
