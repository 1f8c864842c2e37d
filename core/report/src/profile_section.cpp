// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "html.h"
#include "plot.h"
#include "sections.h"

namespace nbs::report {

namespace {

// The curves of one kind of pixel over the T maps.
struct KindCurves {
  record::Curve mean;
  record::Curve median;
  record::Curve low;
  record::Curve high;

  explicit KindCurves(const record::PixelProfile& profile) {
    for (std::size_t t = 0; t < profile.maps.size(); ++t) {
      const auto x = static_cast<double>(t + 1);
      const auto& map = profile.maps[t];
      mean.points.push_back({x, map.mean});
      median.points.push_back({x, map.median});
      low.points.push_back({x, map.lower_quartile});
      high.points.push_back({x, map.upper_quartile});
    }
  }
};

std::string profile_plot(const char* title, const std::optional<record::LossProfile>& profile) {
  if (!profile) return {};
  const KindCurves anomalous(profile->anomalous);
  const KindCurves normal(profile->normal);
  Plot plot;
  plot.title = title;
  plot.may_be_logarithmic = true;
  plot.over = "maps of the profile";
  plot.first = 1;
  plot.last = static_cast<double>(std::max(profile->anomalous.maps.size(), profile->normal.maps.size()));
  const auto add = [&](const KindCurves& kind, const char* median, const char* mean, int color) {
    if (kind.mean.points.empty()) return;
    plot.bands.push_back({plot.curves.size(), &kind.low, &kind.high});
    plot.curves.push_back({median, &kind.median, color, false});
    plot.curves.push_back({mean, &kind.mean, color + 2, true});
  };
  add(anomalous, "anomalous: median", "anomalous: mean", 1);
  add(normal, "normal: median", "normal: mean", 0);
  return draw(plot);
}

std::string pixels_text(const std::optional<record::LossProfile>& profile, const char* which) {
  if (!profile) return {};
  return fmt::format(" {}: {} anomalous and {} normal pixels.", which, profile->anomalous.pixels,
                     profile->normal.pixels);
}

}  // namespace

std::string profile_section(const RunRecord& run) {
  const auto& known = run.diagnostics;
  const auto plots = profile_plot("Loss on the labeled images", known.labeled_profile) +
                     profile_plot("Loss on the scored images", known.scored_profile);
  if (plots.empty()) return {};
  return "<h2>Loss profiles</h2>\n<p class=\"soft\">What the predictor is given: the reconstruction loss of a pixel in "
         "each of the last loss maps of the kept checkpoint, oldest first, before it is normalized and transformed. "
         "Anomalous and normal pixels can be told apart where their profiles differ. Areas reach from the lower to the "
         "upper quartile." +
         pixels_text(known.labeled_profile, "Labeled images") + pixels_text(known.scored_profile, "Scored images") +
         "</p>\n<div class=\"plots\">\n" + plots + "</div>\n";
}

}  // namespace nbs::report
