// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/options.h"
#include "nbs/predictor_features.h"

namespace nbs::dilated {

/// How the step size changes from the first step of a run to the last.
enum class Schedule { constant, cosine };

/// What follows each convolution.
enum class Normalization { batch, none };

struct Options {
  std::vector<PredictorSees> inputs = {PredictorSees::profile};
  std::vector<std::int64_t> dilations = {1, 2, 4, 8, 1};
  std::int64_t channels = 24;
  Normalization normalization = Normalization::batch;
  double dropout = 0;
  double learning_rate = 2e-3;
  Schedule schedule = Schedule::constant;
  double weight_decay = 0;
  double ema_decay = 0;
  double prior = 0.5;

  static void declare(nbs::Schema<Options>& s) {
    s.add("inputs", &Options::inputs)
        .choices({{"profile", PredictorSees::profile}, {"image", PredictorSees::image}})
        .doc("What it sees: the loss profile (the paper), the image, or both.");
    s.add("dilations", &Options::dilations)
        .range(1, 128)
        .doc("Dilation of each 3x3 layer; the receptive field is 1 + 2 x their sum, in pixels.");
    s.add("channels", &Options::channels).range(1, 1024).doc("Channels of each layer.");
    s.add("normalization", &Options::normalization)
        .formerly("normalisation")
        .choices({{"batch", Normalization::batch}, {"none", Normalization::none}})
        .doc("Batch normalization after each layer, or none.");
    s.add("dropout", &Options::dropout)
        .range(0, 0.95)
        .doc("Share of channels set to 0 before the last layer while learning.");
    s.add("learning_rate", &Options::learning_rate).range(1e-8, 10).doc("Adam's step size.");
    s.add("schedule", &Options::schedule)
        .choices({{"constant", Schedule::constant}, {"cosine", Schedule::cosine}})
        .doc("Whether the step size stays, or falls to a hundredth along half a cosine over the steps of the run.");
    s.add("weight_decay", &Options::weight_decay).range(0, 1).doc("L2 penalty, added to the gradient.");
    s.add("ema_decay", &Options::ema_decay)
        .formerly("average")
        .range(0, 0.9999)
        .doc(
            "Decay, per step, of a moving average of the weights that predicts in place of the last ones; 0: the last "
            "ones.");
    s.add("prior", &Options::prior).range(1e-6, 0.999999).doc("Probability that an untrained network starts from.");
  }
};

}  // namespace nbs::dilated
