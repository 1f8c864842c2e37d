// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "nbs/base/files.h"

#include "scratch.h"

namespace nbs::test {

/// What `action`, and programs that it starts, write to standard error.
inline std::string messages_of(const std::function<void()>& action) {
  const Scratch scratch;
  const auto file = scratch / "messages";
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  const int to = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(to, STDERR_FILENO);
  close(to);
  action();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  return nbs::read_file(file);
}

}  // namespace nbs::test
