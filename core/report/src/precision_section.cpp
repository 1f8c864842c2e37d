// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/base/number.h"

#include "html.h"
#include "plot.h"
#include "sections.h"

namespace nbs::report {

namespace {

record::Curve curve_over_recall(const std::vector<record::PrecisionRecall>& points,
                                double record::PrecisionRecall::*value) {
  record::Curve curve;
  for (const auto& point : points)
    curve.points.push_back({point.recall, point.*value});
  return curve;
}

std::string point_text(const char* name, const record::PrecisionRecall& point) {
  return fmt::format("{} {}: precision {}, recall {}", name, threshold_text(point.threshold),
                     number_text(point.precision), number_text(point.recall));
}

}  // namespace

std::string precision_section(const RunRecord& run) {
  if (!run.diagnostics.curve) return {};
  const auto& known = *run.diagnostics.curve;
  const auto precision = curve_over_recall(known.points, &record::PrecisionRecall::precision);
  const auto threshold = curve_over_recall(known.points, &record::PrecisionRecall::threshold);
  const record::Curve chosen{"", {{known.chosen.recall, known.chosen.precision}}};
  const record::Curve oracle{"", {{known.oracle.recall, known.oracle.precision}}};
  Plot plot;
  plot.title = "Precision over recall";
  plot.over = "recall";
  plot.curves = {{"threshold", &threshold, 3, true}, {"precision", &precision, 0, false}};
  plot.points = {{"chosen", &chosen, 1}, {"oracle", &oracle, 2}};
  plot.last = 1;
  plot.shown = {0, 1};
  plot.whole = false;
  const auto drawing = draw(plot);
  if (drawing.empty()) return {};
  return fmt::format(
      "<h2>Precision and recall</h2>\n<p class=\"soft\">All pixels of the scored images together, at every threshold. "
      "{}. {}; it can only be found with the masks.</p>\n<div class=\"plots\">\n{}</div>\n",
      point_text("At the chosen threshold", known.chosen), point_text("At the oracle's", known.oracle), drawing);
}

}  // namespace nbs::report
