// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/options.h"

#include "parameters.h"

namespace nbs::crf {

/// How kernel sums are computed.
enum class Mode { lattice, exact, grid };

/// As Parameters, whose defaults they have. The values to tune are weak ones: a handful of labeled images often favors
/// a strong CRF by a hair that harms the others.
struct Options {
  double smooth_sx = Parameters().smoothness.x;
  double smooth_sy = Parameters().smoothness.y;
  double smooth_weight = Parameters().smoothness.weight;
  double sx = Parameters().appearance.x;
  double sy = Parameters().appearance.y;
  std::vector<double> scolor = default_color();
  double weight = Parameters().appearance.weight;
  std::int64_t iterations = Parameters().iterations;
  Normalization normalization = Parameters().normalization;
  Mode mode = Mode::lattice;
  double clamp = 1e-5;
  std::int64_t threads = 0;

  static void declare(Schema<Options>& s) {
    s.add("smooth_sx", &Options::smooth_sx).range(1e-3, 1e6).doc("Smoothness kernel: sigma along x, in pixels.");
    s.add("smooth_sy", &Options::smooth_sy).range(1e-3, 1e6).doc("Smoothness kernel: sigma along y, in pixels.");
    s.add("smooth_weight", &Options::smooth_weight)
        .range(0, 1e6)
        .tune({0, 1})
        .doc("Smoothness kernel: weight; 0 leaves it out.");
    s.add("sx", &Options::sx).range(1e-3, 1e6).doc("Appearance kernel: sigma along x, in pixels.");
    s.add("sy", &Options::sy).range(1e-3, 1e6).doc("Appearance kernel: sigma along y, in pixels.");
    s.add("scolor", &Options::scolor)
        .formerly("scolour")
        .range(1e-3, 1e6)
        .tune({5, 13})
        .doc("Appearance kernel: sigmas of red, green and blue, in levels of 0..255; one value stands for all three.");
    s.add("weight", &Options::weight).range(0, 1e6).tune({0, 1, 3}).doc("Appearance kernel: weight; 0 leaves it out.");
    s.add("iterations", &Options::iterations).range(0, 1000).doc("Mean field updates.");
    s.add("normalization", &Options::normalization)
        .formerly("normalisation")
        .choices({{"symmetric", Normalization::symmetric},
                  {"before", Normalization::before},
                  {"after", Normalization::after},
                  {"none", Normalization::none}})
        .doc(
            "How kernel sums are normalized: by the root of both pixels' sums, by the sum of the pixel that sends, of "
            "the one that receives, or not at all. Results differ a lot.");
    s.add("mode", &Options::mode)
        .choices({{"lattice", Mode::lattice}, {"exact", Mode::exact}, {"grid", Mode::grid}})
        .doc(
            "lattice: fast, any image, equal to the widely used implementation. exact: all pairs of pixels, small "
            "images. grid: gray images only, nearer to exact than the lattice, so its results differ from it.");
    s.add("clamp", &Options::clamp)
        .range(1e-30, 0.49)
        .doc("Probabilities are brought into [clamp, 1 - clamp] before their logarithm is taken.");
    s.add("threads", &Options::threads)
        .range(0, 1024)
        .doc("Images at a time; 0 = as the run has threads. The result does not depend on it.");
  }

  /// Throws nbs::Error when scolor holds neither one value nor three.
  Parameters parameters() const {
    if (scolor.size() != 1 && scolor.size() != 3) {
      throw Error("scolor holds " + std::to_string(scolor.size()) +
                  " values, but it needs three (red, green, blue) or one for all");
    }
    Parameters result;
    result.smoothness = {smooth_sx, smooth_sy, smooth_weight};
    result.appearance = {sx, sy, {scolor.front(), scolor[scolor.size() / 2], scolor.back()}, weight};
    result.iterations = iterations;
    result.normalization = normalization;
    check(result);
    return result;
  }

 private:
  static std::vector<double> default_color() {
    const auto color = Parameters().appearance.color;
    return {color.begin(), color.end()};
  }
};

}  // namespace nbs::crf
