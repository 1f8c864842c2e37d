// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace nbs::fuzz {

/// What a child process may use for one run.
struct Limits {
  int seconds = 5;                               ///< of processor time
  std::uint64_t bytes = std::uint64_t{1} << 30;  ///< of address space, on top of what it has at its start
};

/// The first of the runs [first, end) that went wrong.
struct Failure {
  std::uint64_t run = 0;
  std::string reason;
  std::string output;  ///< the end of what it wrote to standard error
};

/// Calls `run(i)` for i in [first, end), in a child process. `run` returns what is wrong, or "". A run that is killed,
/// or uses more than the limits, is a failure too. Nothing if all went well.
std::optional<Failure> run_in_child(std::uint64_t first, std::uint64_t end, const Limits& limits,
                                    const std::filesystem::path& scratch,
                                    const std::function<std::string(std::uint64_t)>& run);

}  // namespace nbs::fuzz
