// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace nbs::run {

/// The program that does the tensor work: NBS_WORKER, or nbs-worker beside this program or in the install prefix's
/// libexec. Throws nbs::Error if there is none.
std::filesystem::path worker_program();

/// Starts the worker with these arguments; standard input, output and error are shared. `log`: a file that its standard
/// error goes to instead, unless empty.
pid_t start_worker(const std::vector<std::string>& arguments, const std::filesystem::path& log = {});

/// Waits for a process; 128 + the signal's number if a signal ended it.
int wait_for(pid_t process);

/// Waits for any of this process's children; returns it with its exit status.
std::pair<pid_t, int> wait_for_any();

/// Runs the worker to its end. While it runs, an interrupt is its to handle: this process only waits.
int run_worker(const std::vector<std::string>& arguments);

/// Runs the worker and returns its standard output. Throws nbs::Error if it does not end with 0.
std::string worker_output(const std::vector<std::string>& arguments);

}  // namespace nbs::run
