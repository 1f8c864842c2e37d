// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "heat_map.h"
#include "html.h"
#include "sections.h"

namespace nbs::report {

namespace {

double largest(const record::PatchDensity& density) {
  return density.cells.empty() ? 0 : *std::max_element(density.cells.begin(), density.cells.end());
}

std::string phase_title(const record::SampledPlaces& places, const record::SampledPhase& phase) {
  const auto iterations = fmt::format("{} iteration{}", phase.iterations, phase.iterations == 1 ? "" : "s");
  if (!places.learns) return fmt::format("All of training ({})", iterations);
  return phase.phase == record::SamplingPhase::cloning ? fmt::format("Cloning, β > 0 ({})", iterations)
                                                       : fmt::format("After cloning, β = 0 ({})", iterations);
}

// Where the densest cell is, for those who do not see the map.
std::string peak_text(const record::PatchDensity& density, std::int64_t side) {
  const auto peak = std::max_element(density.cells.begin(), density.cells.end()) - density.cells.begin();
  const auto percent = [&](std::int64_t cell) { return (2 * cell + 1) * 50 / side; };
  return fmt::format("densest at {} % from the left and {} % from the top", percent(peak % side), percent(peak / side));
}

std::string heat_figure(const RunRecord& run, const record::PatchDensity& density, std::int64_t side, double most) {
  const auto name = density.image.empty() ? std::string("all images") : density.image;
  const auto peak = peak_text(density, side);
  const auto under = "labeled/" + density.image + ".image.png";
  std::error_code ignored;
  const bool has_picture = !density.image.empty() && std::filesystem::exists(run.folder / under, ignored);
  return fmt::format(
      "<figure><div class=\"heat{}\">{}<img class=\"map\" src=\"{}\" alt=\"Density of patches on {}: {}\"></div>"
      "<figcaption>{}<br>{} patches, at most {} on one point</figcaption></figure>\n",
      has_picture ? " over" : "",
      has_picture ? fmt::format("<img src=\"{}\" alt=\"\" loading=\"lazy\">", link_to(under)) : "",
      heat_map(density.cells, side, most), escaped(name), peak, escaped(name), density.patches,
      number_text(largest(density), 2));
}

}  // namespace

std::string sampling_section(const RunRecord& run) {
  if (!run.diagnostics.sampled) return {};
  const auto& places = *run.diagnostics.sampled;
  double most = 0;
  for (const auto& phase : places.phases) {
    most = std::max(most, largest(phase.all));
    for (const auto& density : phase.labeled)
      most = std::max(most, largest(density));
  }
  if (!(most > 0)) return {};
  std::string out = fmt::format(
      "<h2>Where the sampler sampled</h2>\n<p class=\"soft\">The share of the patches that cover a point: of those "
      "that "
      "the autoencoder learned from, all images one over the other, and of those on labeled images, each on its own. "
      "Bright points are covered most.</p>\n<p class=\"ramp\"><span>0</span><span class=\"colors\" "
      "style=\"background: {}\"></span><span>{}</span></p>\n",
      heat_gradient(), number_text(most, 2));
  for (const auto& phase : places.phases) {
    out += fmt::format("<h3>{}</h3>\n<div class=\"gallery\">\n", escaped(phase_title(places, phase)));
    if (phase.all.patches > 0) out += heat_figure(run, phase.all, places.side, most);
    for (const auto& density : phase.labeled) {
      if (density.patches > 0) out += heat_figure(run, density, places.side, most);
    }
    out += "</div>\n";
  }
  return out;
}

}  // namespace nbs::report
