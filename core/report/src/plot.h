// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nbs/record/metrics_file.h"

namespace nbs::report {

/// A curve in a plot.
struct PlotCurve {
  std::string name;
  const record::Curve* curve = nullptr;
  int color = 0;       ///< 0 to 3
  bool faint = false;  ///< behind the others
};

/// A plot of curves over the iterations.
struct Plot {
  std::string title;
  std::vector<PlotCurve> curves;
  bool may_be_logarithmic = false;  ///< is so where all values are positive and span a factor of 50 or more
  std::optional<double> best;       ///< iteration marked by a dashed line
  std::vector<double> ticks_at;     ///< iterations marked by dotted lines
  double last = 0;                  ///< the axis reaches from iteration 0 to this one, or to the last point
  std::vector<double> shown;        ///< values that the vertical axis must reach
};

/// An HTML figure with caption, key and inline SVG; empty if no curve has a finite value.
std::string draw(const Plot& plot);

}  // namespace nbs::report
