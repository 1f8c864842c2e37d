// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/host/catalog.h"

#include "run_record.h"

namespace nbs::report {

/// Adds to each run the options that came after the version that wrote its file, with their defaults, which say what
/// was done before: else runs of different versions would seem to differ in them. A run whose plugins are not among
/// `plugins`, or which has options that are gone, stays as it is.
void add_later_options(std::vector<RunRecord>& runs, const host::Catalog& plugins);

}  // namespace nbs::report
