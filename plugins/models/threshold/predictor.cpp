// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include <cmath>
#include <sstream>

#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs::threshold {

double ThresholdPredictor::train_step(const PredictorInput& input, const torch::Tensor& masks,
                                      const PredictionLoss& loss) {
  static_cast<void>(input);
  static_cast<void>(masks);
  static_cast<void>(loss);
  throw Error("there are no parameters to learn; ask is_trainable() first");
}

torch::Tensor ThresholdPredictor::logits(const PredictorInput& input) {
  torch::NoGradGuard no_grad;
  const auto newest = input.profile.select(1, -1);
  const double least = newest.min().item<double>();
  if (least < 0) {
    std::ostringstream text;
    text << "a loss must be at least 0, but the profile holds " << least << "; set profile.transform = \"none\"";
    throw Error(text.str());
  }
  if (!warned_ && std::abs(input.profile[0].mean().item<double>() - 1) < 1e-6) {
    context_.log(
        "the predictor \"threshold\" was given a profile of mean 1; with profile.normalize = \"mean\" or \"map\" a "
        "threshold is "
        "relative to each image's own mean loss, \"none\" compares losses themselves");
    warned_ = true;
  }
  // p / (1 - p) = loss / scale. Unlike 1 - exp(-loss / scale), this still tells large losses from larger ones.
  return (newest / options_.scale).clamp_min(1e-30).log().to(torch::kCPU);
}

}  // namespace nbs::threshold
