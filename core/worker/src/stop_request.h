// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nbs::worker {

/// From now on signals ask for a clean end, as far as they were not ignored before:
/// - SIGINT (Ctrl-C, or handed on by nbs): the current iteration is the last. A second Ctrl-C, at least 0.2 s after the
///   first, ends the process at once.
/// - SIGTERM and SIGHUP: the same, but after grace_seconds() the process ends, however far it is. The system sends
///   SIGTERM when nbs is gone.
/// Ended at once, the exit code is 130 and a sentence is on standard error.
void handle_stop_signals();

/// Whether a clean end was asked for.
bool stop_requested();

}  // namespace nbs::worker
