// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nbs::host {

/// What came of a piece of work in a process of its own.
struct Apart {
  std::string answer;  ///< what it returned
  std::string
      failure;  ///< why it returned nothing, as the end of a sentence about it: "crashed (SIGSEGV, signal 11) in …"
};

/// What a piece of work may take.
struct ApartLimits {
  int seconds = 0;
  const char* more_seconds = "NBS_PLUGIN_SECONDS";  ///< what gives it more, as the failure says it
  std::int64_t memory_mib = 0;  ///< beyond what this process has; 0: any. Not enforced under a sanitizer.
};

/// Calls work(0), …, work(count - 1) in a copy of this process and hands back what each returned, one line of text. If
/// one of them ends that process, or takes longer than its seconds, its place says so, and another copy goes on behind
/// it. Memory beyond the limit is refused, as if the machine had no more. The answers have a channel of their own: what
/// the work prints to standard output comes out on standard error, and it finds standard input empty. An exception of
/// `work` ends its process too, so it should catch those of plugins.
///
/// Copies are made by fork(): call it before this process starts threads. Throws nbs::Error if no process can be made.
std::vector<Apart> run_apart(std::size_t count, const std::function<std::string(std::size_t)>& work,
                             const ApartLimits& limits);

/// Seconds that a library may take to say what it holds: NBS_PLUGIN_SECONDS, or 20. Throws nbs::Error if that is no
/// whole number from 1 to 3600.
int plugin_seconds();

}  // namespace nbs::host
