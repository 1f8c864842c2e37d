// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nbs/record/seconds.h"
#include "nbs/training/state_io.h"

namespace nbs::training {

/// Writes the seconds of all stages.
void write_seconds(StateWriter& writer, const std::string& name, const record::Seconds& seconds);
/// Reads what write_seconds() wrote. Throws nbs::Error if the stages were others.
record::Seconds read_seconds(const StateReader& reader, const std::string& name);

}  // namespace nbs::training
