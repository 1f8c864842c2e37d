// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace nbs::launch {

/// The cores that this process may use: what a queue, taskset or a container leaves of those of the machine.
int usable_cores();

/// Memory in MiB that can be had without swapping: what the system calls available, or less if a control group limits
/// this process. `root` is "/", or a folder with the same files in a test.
double available_memory_mib(const std::filesystem::path& root = "/");

/// "12G", "800M" and the like in MiB (K, M, G, T; powers of 1024; M if there is no letter), or "80%" of
/// `available_mib`. `what` is how an error calls it ("--memory"). Throws nbs::Error.
double memory_mib(const std::string& text, const std::string& what, double available_mib);

/// The most memory that a process has used so far, in MiB; 0 if it is gone.
double peak_memory_mib(pid_t process);

/// "1.5 GiB", "200 MiB".
std::string memory_text(double mib);

}  // namespace nbs::launch
