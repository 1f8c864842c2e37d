// SPDX-License-Identifier: Apache-2.0
// Libraries whose static initializers do what NBS_TEST_HOW says, before the host could read anything of them.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "plain.h"

namespace {

bool initialize() {
  const std::string how = NBS_TEST_HOW;
  if (how == "segfault") std::raise(SIGSEGV);
  if (how == "abort") std::abort();
  if (how == "exit") std::exit(0);
  if (how == "quick_exit") std::quick_exit(0);
  if (how == "_exit") _exit(0);
  if (how == "throw") throw 3;
  while (how == "loop")
    usleep(1000);
  if (how == "close") {
    for (int descriptor = 0; descriptor < 256; ++descriptor)
      close(descriptor);
  }
  if (how == "print") {
    std::puts("{\"plugins\": 7}");
    std::fflush(stdout);
  }
  return true;
}

[[maybe_unused]] const bool initialized = initialize();

}  // namespace

NBS_PLAIN_PLUGIN("initializer") {}
