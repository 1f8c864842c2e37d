// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nbs {

// What nbs and its worker agree on about the worker's end.

/// The exit code of a worker that was ended from inside a plugin or library (by exit) before its command had returned.
constexpr int kEndedFromInside = 70;

/// The exit code of a worker that was to go on from a checkpoint and must not: it is damaged, or of something else.
constexpr int kCheckpointRefused = 71;

/// Seconds that a worker has to end cleanly after SIGTERM or SIGHUP: NBS_GRACE_SECONDS, or 10. Throws nbs::Error if
/// that is no whole number from 1 to 3600.
int grace_seconds();

/// The environment variable `name`, a whole number of seconds from 1 to 3600, or `usual` if it is not set. Throws
/// nbs::Error for anything else.
int seconds_from(const char* name, int usual);

}  // namespace nbs
