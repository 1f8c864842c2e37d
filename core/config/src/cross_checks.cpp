// SPDX-License-Identifier: Apache-2.0
#include "cross_checks.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

namespace nbs::config {

namespace {

using Complain = std::function<void(const char*, std::string)>;

// Who uses the anomaly-free images that a data set keeps apart, and whether there can be any.
void check_auxiliary(const Pipeline& pipeline, const Complain& complain) {
  const auto& data = pipeline.data.options;
  const bool trained_on =
      pipeline.autoencoder && pipeline.train.options.autoencoder_images == AutoencoderImages::auxiliary;
  const bool held_out = pipeline.evaluation.options.threshold_rule == ThresholdRule::normal_area;
  if (!trained_on && !held_out) return;
  const char* const user = trained_on ? "train.autoencoder_images" : "evaluation.threshold_rule";
  const char* const value = trained_on ? "auxiliary" : "normal_area";
  if (data.format == data::Format::crackforest || data.format == data::Format::folder) {
    complain(user,
             fmt::format("{} is \"{}\", but data.format \"{}\" keeps no anomaly-free images apart; choose another "
                         "value",
                         user, value, choice_name(data.format, data::formats())));
  } else if (data.auxiliary == 0) {
    complain(user,
             fmt::format("{} is \"{}\", but data.auxiliary is 0, so no anomaly-free images are read; set it to how "
                         "many",
                         user, value));
  } else if (trained_on && held_out) {
    const double share = pipeline.evaluation.options.normal_share;
    const auto kept = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(data.auxiliary)));
    if (kept >= data.auxiliary) {
      complain("data.auxiliary",
               fmt::format("{} of {} anomaly-free images (data.auxiliary) are held out to choose the threshold "
                           "(evaluation.normal_share is {}), so none is left for the autoencoder to learn from; raise "
                           "data.auxiliary or lower the share",
                           kept, data.auxiliary, share));
    }
  }
}

}  // namespace

void cross_check(const Document& document, const Pipeline& pipeline, std::vector<Problem>& problems) {
  const auto& data = pipeline.data.options;
  const auto& profile = pipeline.profile.options;
  const auto& buffer = pipeline.buffer.options;
  const auto& train = pipeline.train.options;
  const auto& evaluation = pipeline.evaluation.options;
  const auto complain = [&](const char* option, std::string message) {
    problems.push_back({document.place_of(option), std::move(message)});
  };
  if (data.format != data::Format::synthetic) {
    const std::filesystem::path folder =
        data.category.empty() ? std::filesystem::path(data.root) : std::filesystem::path(data.root) / data.category;
    if (data.root.empty()) {
      complain("data.root", fmt::format("data.root is not set, but the format \"{}\" reads a folder",
                                        choice_name(data.format, data::formats())));
    } else if (!std::filesystem::is_directory(folder)) {
      complain("data.root", fmt::format("the data folder {} does not exist", folder.string()));
    }
  } else if (data.labeled > data.count) {
    complain("data.labeled", fmt::format("data.labeled is {}, but only {} images are generated (data.count)",
                                         data.labeled, data.count));
  }
  if (data.labeled > 0 && data.min_anomalous > data.labeled) {
    complain("data.min_anomalous", fmt::format("data.min_anomalous is {}, but only {} images are labelled "
                                               "(data.labeled); lower it",
                                               data.min_anomalous, data.labeled));
  }
  check_auxiliary(pipeline, complain);
  if (data.labeled == 0 && evaluation.threshold_rule == ThresholdRule::labeled_f1) {
    complain("evaluation.threshold_rule",
             "evaluation.threshold_rule is \"labeled_f1\", which chooses the threshold on the labelled images, but "
             "data.labeled is 0; label at least one image, or use \"fixed\" or \"normal_area\"");
  }
  if (data.labeled == 0 && evaluation.tune_postproc && !pipeline.postproc.empty()) {
    complain("evaluation.tune_postproc",
             "evaluation.tune_postproc tries options on the labelled images, but data.labeled is 0; label at least "
             "one image, or turn it off");
  }
  if (pipeline.autoencoder) {
    const std::int64_t step = profile.tile_step == 0 ? profile.patch_size : profile.tile_step;
    if (profile.patch_size > data.image_size) {
      complain("profile.patch_size",
               fmt::format("the patch ({0} x {0}, profile.patch_size) is larger than the image ({1} x {1}, "
                           "data.image_size)",
                           profile.patch_size, data.image_size));
    }
    if (step > profile.patch_size) {
      complain("profile.tile_step",
               fmt::format("profile.tile_step is {}, more than profile.patch_size ({}): pixels between the "
                           "tiles would have no loss",
                           step, profile.patch_size));
    }
    if (profile.tile_offset >= step) {
      complain("profile.tile_offset",
               fmt::format("profile.tile_offset is {}, but must be below the distance between tiles ({})",
                           profile.tile_offset, step));
    }
    if (profile.typical_blur % 2 == 0) {
      complain(
          "profile.typical_blur",
          fmt::format("profile.typical_blur is {}, but a square with a pixel in its middle has an odd side; use {}",
                      profile.typical_blur, profile.typical_blur + 1));
    }
    const std::int64_t needed = (profile.length - 1) * profile.stride + 1;
    if (train.reinit_every > 0 && needed > train.reinit_every) {
      complain("train.reinit_every",
               fmt::format("a profile of {} maps every {} iterations is full after {} iterations, but the "
                           "autoencoder is re-initialised every {} (train.reinit_every): no profile would "
                           "ever be full",
                           profile.length, profile.stride, needed, train.reinit_every));
    }
    // A moment worth keeping needs full profiles and a predictor that has just learnt.
    const std::int64_t life =
        train.reinit_every > 0 ? std::min(train.reinit_every, train.iterations) : train.iterations;
    if (train.finish == 0 && needed <= life && buffer.every > life - needed + 1) {
      complain(
          "buffer.every",
          fmt::format("the predictor learns in every {}-th iteration (buffer.every), but profiles are full only in "
                      "the last {} of an autoencoder's {}: it might never learn while they are; use at most {}",
                      buffer.every, life - needed + 1, life, life - needed + 1));
    }
    const std::int64_t last_life =
        train.reinit_every > 0 ? (train.iterations - 1) % train.reinit_every + 1 : train.iterations;
    if (train.finish > 0 && needed <= life && needed > last_life) {
      complain(
          "train.finish",
          fmt::format("training ends {} iterations into the last autoencoder's life, but its profiles are full only "
                      "after {}: the predictor would finish without them; let train.iterations ({}) be a multiple "
                      "of train.reinit_every ({})",
                      last_life, needed, train.iterations, train.reinit_every));
    }
    // Only lives with full profiles count, which the last may be too short for.
    const std::int64_t lives =
        (train.iterations - last_life) / std::max<std::int64_t>(train.reinit_every, 1) + (needed <= last_life ? 1 : 0);
    if (needed <= life && profile.lives > lives) {
      complain("profile.lives",
               fmt::format("masks are to be made from the last {} lives of the autoencoder (profile.lives), but {} "
                           "iterations with a re-initialisation every {} (train.reinit_every; 0: never) have {} with "
                           "full profiles",
                           profile.lives, train.iterations, train.reinit_every, lives));
    }
    if (needed > train.iterations) {
      complain("train.iterations",
               fmt::format("a profile of {} maps every {} iterations is full after {} iterations, but training "
                           "ends after {} (train.iterations)",
                           profile.length, profile.stride, needed, train.iterations));
    }
  }
  if (train.patience > 0 && train.finish > 0) {
    complain("train.patience",
             fmt::format("train.patience is {}, which would end training before its finish of {} iterations "
                         "(train.finish); set one of the two to 0",
                         train.patience, train.finish));
  }
  if (buffer.crop > data.image_size) {
    complain("buffer.crop", fmt::format("buffer.crop is {}, more than the image's {} pixels (data.image_size)",
                                        buffer.crop, data.image_size));
  }
  if (pipeline.sampler && !pipeline.autoencoder)
    complain("sampler", "there is a [sampler], but no [autoencoder] that its patches could train");
  if (pipeline.autoencoder && !pipeline.sampler)
    complain("autoencoder", "there is an [autoencoder], but no [sampler] that chooses its patches");
}

}  // namespace nbs::config
