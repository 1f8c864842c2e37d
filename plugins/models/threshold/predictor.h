// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/context.h"
#include "nbs/options.h"
#include "nbs/predictor.h"

namespace nbs::threshold {

struct Options {
  double scale = 0.01;

  static void declare(Schema<Options>& s) {
    s.add("scale", &Options::scale)
        .range(1e-9, 1e9)
        .doc(
            "Loss of a pixel whose probability is one half: probability = loss / (loss + scale). It moves no mask "
            "whose threshold is chosen from images, only what a fixed threshold and a postprocessor see.");
  }
};

/// No learning: the newest loss map itself decides (Bergmann et al. 2018), so that thresholding the probability at t
/// is thresholding the loss at scale t / (1 - t). It wants profile.normalize = "none" and profile.transform = "none":
/// a threshold on losses that were divided by each image's own mean would mean something else in every image.
class ThresholdPredictor : public Predictor {
 public:
  using Options = threshold::Options;

  ThresholdPredictor(const Options& options, Context& context) : context_(context), options_(options) {}

  bool needs_profile() const override { return true; }
  bool needs_image() const override { return false; }
  bool is_trainable() const override { return false; }
  /// Throws nbs::Error: there is nothing to learn.
  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override;
  /// log(loss / scale), at least -69 (a loss of 0 has no logarithm). Throws nbs::Error for a negative loss.
  torch::Tensor logits(const PredictorInput& input) override;

 private:
  Context& context_;
  Options options_;
  bool warned_ = false;
};

}  // namespace nbs::threshold
