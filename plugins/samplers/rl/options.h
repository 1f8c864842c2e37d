// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/options.h"

namespace nbs::rl {

/// What the policy sees of an image.
enum class View { window, image };
/// What the loss map is divided by before the policy sees it.
enum class LossScale { mean, none };
/// What is subtracted from returns.
enum class Baseline { running, none };
/// Which actions the reward of a step speaks for.
enum class Credit { taken, all };

/// One member for each option.
struct Options {
  View view = View::window;
  std::int64_t window = 64;
  std::int64_t step = 16;
  std::vector<std::int64_t> channels = {16, 32, 32, 64, 64};
  std::int64_t hidden = 128;
  bool use_color = true;
  bool use_loss = true;
  bool use_history = true;
  LossScale loss_scale = LossScale::mean;
  double learning_rate = 5e-4;
  double gamma = 0.8;
  Credit credit = Credit::taken;
  Baseline baseline = Baseline::running;
  double baseline_decay = 0.9;
  double entropy_bonus = 0.2;
  double clip = 0;

  static void declare(Schema<Options>& s) {
    s.add("view", &Options::view)
        .choices({{"window", View::window}, {"image", View::image}})
        .doc(
            "What the policy sees: a window around the patch's center, or the whole image reduced to the window's "
            "size.");
    s.add("window", &Options::window).range(8, 512).doc("Side of the policy's input, in pixels.");
    s.add("step", &Options::step).range(1, 4096).doc("Pixels by which the eight directions move the patch.");
    s.add("channels", &Options::channels)
        .range(1, 1024)
        .doc("Channels of the stride-2 convolutions (the paper has five).");
    s.add("hidden", &Options::hidden).range(1, 65536).doc("Width of the first fully connected layer.");
    s.add("use_color", &Options::use_color).formerly("use_colour").doc("Show the colors; off: zeros.");
    s.add("use_loss", &Options::use_loss).doc("Show the current loss map; off: zeros.");
    s.add("use_history", &Options::use_history).doc("Show what the episode has sampled already; off: zeros.");
    s.add("loss_scale", &Options::loss_scale)
        .choices({{"mean", LossScale::mean}, {"none", LossScale::none}})
        .doc("The loss map is divided by its mean over the view, or shown as it is.");
    s.add("learning_rate", &Options::learning_rate).range(1e-9, 10).doc("Adam's step size.");
    s.add("gamma", &Options::gamma).range(0, 1).doc("Discount of later rewards.");
    s.add("credit", &Options::credit)
        .choices({{"taken", Credit::taken}, {"all", Credit::all}})
        .doc(
            "Whose probability the reward of a step raises. taken: that of the action that was taken (Eq. 4); all: "
            "that of all nine, each by its own reward, which the host knows on labeled images. The gradient is the "
            "same in the mean, with less noise. Later rewards count as in Eq. 4.");
    s.add("baseline", &Options::baseline)
        .choices({{"running", Baseline::running}, {"none", Baseline::none}})
        .doc(
            "running: from the return of each step its moving average over earlier rollouts is subtracted, which "
            "leaves the expected gradient as it is and takes most of its noise away, also where the only reward is "
            "the last; none: Eq. 4 as printed.");
    s.add("baseline_decay", &Options::baseline_decay)
        .range(0, 0.9999)
        .doc("Share of the past in the baseline's moving average.");
    s.add("entropy_bonus", &Options::entropy_bonus)
        .range(0, 100)
        .doc(
            "Weight of the policy's mean entropy in what is maximized, in units of the mean size of a return less its "
            "baseline, so that it fades with the signal; keeps the policy from settling on its first luck.");
    s.add("clip", &Options::clip).range(0, 1e9).doc("Largest norm of the gradient; 0: any.");
  }
};

}  // namespace nbs::rl
