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

/// The range about a curve: a band between two others with points at the same places as those of the curve.
struct PlotBand {
  std::size_t curve = 0;  ///< of the plot
  const record::Curve* low = nullptr;
  const record::Curve* high = nullptr;
};

/// Points that are not joined.
struct PlotPoints {
  std::string name;
  const record::Curve* points = nullptr;
  int color = 0;
};

/// A plot of curves over the iterations, or over something else. It has many members, as it is all that a drawing
/// takes; who makes one sets a few of them.
struct Plot {
  std::string title;
  std::vector<PlotCurve> curves;
  bool may_be_logarithmic = false;  ///< is so where all values are positive and span a factor of 50 or more
  std::optional<double> best;       ///< iteration marked by a dashed line
  std::vector<double> ticks_at;     ///< iterations marked by dotted lines
  double last = 0;                  ///< the axis reaches from `first` to this one, or to the last point
  std::vector<double> shown;        ///< values that the vertical axis must reach
  std::vector<PlotBand> bands{};    ///< of all curves or of none
  std::vector<PlotPoints> points{};
  std::string over = "iterations";  ///< what the horizontal axis shows
  double first = 0;
  bool whole = true;                 ///< whether it has whole numbers alone, so that one that is left out is a gap
  std::vector<std::string> steps{};  ///< names of 0, 1, 2, … where it has such
};

/// An HTML figure with caption, key, inline SVG, and the numbers from which scripts make a chart with zoom; empty if no
/// curve has a finite value.
std::string draw(const Plot& plot);

}  // namespace nbs::report
