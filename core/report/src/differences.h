// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "nbs/record/bootstrap.h"

#include "statistics.h"

namespace nbs::report {

/// How much better one pipeline does than another on the splits that both were run on.
struct Difference {
  std::size_t splits = 0;                    ///< common ones; each counts once, with the mean F1 over its seeds
  double mean = 0;                           ///< of F1
  std::optional<record::Interval> interval;  ///< of the mean; none with a single split
};

/// The F1 of `group` less that of `baseline`, in the mean over common splits (data.split_seed). Nothing if there is
/// none, or if the two were run on different data.
std::optional<Difference> paired_difference(const Group& group, const Group& baseline);

}  // namespace nbs::report
