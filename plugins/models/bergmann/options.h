// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nbs/options.h"

namespace nbs::bergmann {

enum class Loss { l2, ssim };
/// Of the pixels of SSIM's window.
enum class Weights { uniform, gaussian };

struct Options {
  Loss loss = Loss::ssim;
  std::int64_t latent = 100;
  std::int64_t width = 32;
  std::int64_t window = 11;
  Weights weights = Weights::uniform;
  double c1 = 0.01 * 0.01;
  double c2 = 0.03 * 0.03;
  double learning_rate = 2e-4;
  double weight_decay = 1e-5;

  static void declare(Schema<Options>& s) {
    s.add("loss", &Options::loss)
        .choices({{"l2", Loss::l2}, {"ssim", Loss::ssim}})
        .doc(
            "What is minimized, and what a pixel's loss is: l2, the squared error averaged over colors; ssim, 1 - "
            "SSIM (0 to 2) averaged over colors.");
    s.add("latent", &Options::latent)
        .range(1, 65536)
        .doc("d: numbers that a patch is squeezed into (published: 100 for woven fabrics, 500 for nanofibers).");
    s.add("width", &Options::width)
        .range(1, 1024)
        .doc("Channels of the first layer; the others have 1, 2 or 4 times as many (published: 32).");
    s.add("window", &Options::window).range(1, 127).doc("Side of SSIM's window in pixels, odd (published: 11).");
    s.add("weights", &Options::weights)
        .choices({{"uniform", Weights::uniform}, {"gaussian", Weights::gaussian}})
        .doc(
            "SSIM's window: all its pixels alike (as Bergmann et al. describe it), or a Gaussian of deviation 1.5 (as "
            "Wang et al. 2004).");
    s.add("c1", &Options::c1)
        .range(1e-12, 1)
        .doc(
            "SSIM's constant in the comparison of means, for values in [0, 1]: (0.01)^2 as Wang et al.; Bergmann et "
            "al. print 0.01.");
    s.add("c2", &Options::c2)
        .range(1e-12, 1)
        .doc(
            "SSIM's constant in the comparison of variances, for values in [0, 1]: (0.03)^2 as Wang et al.; Bergmann "
            "et al. print 0.03.");
    s.add("learning_rate", &Options::learning_rate).range(1e-8, 10).doc("Adam's step size (published: 2e-4).");
    s.add("weight_decay", &Options::weight_decay)
        .range(0, 1)
        .doc("L2 penalty, added to the gradient (published: 1e-5).");
  }
};

}  // namespace nbs::bergmann
