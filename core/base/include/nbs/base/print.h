// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// What the programs print. A message that nobody can receive must never end the work that it tells of: none of these
// functions throws, and finish_output() says at the end whether the output arrived.

namespace nbs {

/// First thing in main(). Standard streams that are closed are opened on /dev/null, so that no file of ours gets their
/// number and is printed into: standard output so that writing to it still fails, standard error so that it does not.
/// A reader that has gone away (SIGPIPE) becomes an error of the write.
void prepare_streams();

/// Writes a line to standard error. If that cannot be written (closed, full), the line is lost.
void say(const std::string& line);

/// Writes text to standard output. A failure is remembered for finish_output().
void put(const std::string& text);

/// The same, and hands it on at once.
void put_now(const std::string& text);

/// Tells finish_output() why standard output could not be written by other means; `reason` is an errno.
void note_output_failure(int reason);

/// Last thing in main(): whether all of standard output could be written, also what was printed by other means; if not,
/// says so on standard error with the system's reason. A reader that had enough, such as `head`, is no failure.
bool finish_output();

}  // namespace nbs
