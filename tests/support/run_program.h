// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>

namespace nbs::test {

/// Runs `program` with these words, none of which may hold a quote, through a shell. `before` is shell text in front,
/// for example a limit; `after` where its output goes. Returns the exit status, 255 if a signal ended it.
inline int run_program(const std::string& program, const std::vector<std::string>& words, const std::string& before,
                       const std::string& after) {
  std::string line = before + " '" + program + "'";
  for (const auto& word : words)
    line += " '" + word + "'";
  const int status = std::system((line + " " + after).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

}  // namespace nbs::test
