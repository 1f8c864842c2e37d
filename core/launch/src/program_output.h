// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs::launch {

/// What another program printed, and how it ended.
struct ProgramOutput {
  int status = 0;  ///< its exit code, or 128 and a signal's number
  std::string output;
  std::string errors;
};

/// Runs a program, looked for on PATH, to its end; its standard input is empty. Throws nbs::Error if it cannot be
/// started or takes more than `seconds`, after which it is killed.
ProgramOutput run_program(const std::vector<std::string>& words, int seconds = 120);

/// The same for a program that must succeed: what it printed. Throws nbs::Error, a sentence with what it said.
std::string output_of(const std::vector<std::string>& words);

/// A text as one word of a shell.
std::string shell_quoted(const std::string& text);

}  // namespace nbs::launch
