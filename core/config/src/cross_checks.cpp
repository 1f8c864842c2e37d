// SPDX-License-Identifier: Apache-2.0
#include "cross_checks.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

namespace nbs::config {

namespace {

using Report = std::function<void(const char*, std::string)>;

// Who uses the anomaly-free images that a data set keeps apart, and whether there can be any.
void check_auxiliary(const Pipeline& pipeline, const Report& report) {
  const auto& data = pipeline.data.options;
  const bool trained_on =
      pipeline.autoencoder && pipeline.train.options.autoencoder_images == AutoencoderImages::auxiliary;
  const bool held_out = pipeline.evaluation.options.threshold_rule == ThresholdRule::normal_area;
  if (!trained_on && !held_out) return;
  const char* const user = trained_on ? "train.autoencoder_images" : "evaluation.threshold_rule";
  const char* const value = trained_on ? "auxiliary" : "normal_area";
  if (data.format == data::Format::crackforest || data.format == data::Format::folder) {
    report(user, fmt::format("{} is \"{}\", but data.format \"{}\" keeps no anomaly-free images apart; choose another "
                             "value",
                             user, value, choice_name(data.format, data::formats())));
  } else if (data.auxiliary == 0) {
    report(user, fmt::format("{} is \"{}\", but data.auxiliary is 0, so no anomaly-free images are read; set it to how "
                             "many",
                             user, value));
  } else if (trained_on && held_out) {
    const double share = pipeline.evaluation.options.normal_share;
    const auto kept = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(data.auxiliary)));
    if (kept >= data.auxiliary) {
      report("data.auxiliary",
             fmt::format("{} of {} anomaly-free images (data.auxiliary) are held out to choose the threshold "
                         "(evaluation.normal_share is {}), so none is left for the autoencoder to learn from; raise "
                         "data.auxiliary or lower the share",
                         kept, data.auxiliary, share));
    }
  }
}

void check_data(const Pipeline& pipeline, const Report& report) {
  const auto& data = pipeline.data.options;
  if (data.format != data::Format::synthetic) {
    const std::filesystem::path folder =
        data.category.empty() ? std::filesystem::path(data.root) : std::filesystem::path(data.root) / data.category;
    if (data.root.empty()) {
      report("data.root", fmt::format("data.root is not set, but the format \"{}\" reads a folder",
                                      choice_name(data.format, data::formats())));
    } else if (!std::filesystem::is_directory(folder)) {
      const char* const what = std::filesystem::exists(folder) ? "is no folder" : "does not exist";
      report("data.root", fmt::format("the data folder {} {}", folder.string(), what));
    }
  } else if (!data.root.empty()) {
    report("data.root", fmt::format("data.root is {}, but data.format is \"synthetic\", which reads no folder; set "
                                    "data.format to how the images lie there (\"folder\" for images of your own)",
                                    data.root));
  } else if (data.resize != data::Resize::square) {
    report("data.resize",
           fmt::format("data.resize is \"{0}\", but images of data.format = \"synthetic\" are made in the "
                       "size {1} x {1} (data.image_size), so there is nothing to keep or to tile; use "
                       "\"square\", or export the images (nbs data --export) and read the folder",
                       choice_name(data.resize, data::resizes()), data.image_size));
  } else if (data.labeled > data.count) {
    report("data.labeled",
           fmt::format("data.labeled is {}, but only {} images are generated (data.count)", data.labeled, data.count));
  }
  if (data.labeled > 0 && data.min_anomalous > data.labeled) {
    report("data.min_anomalous", fmt::format("data.min_anomalous is {}, but only {} images are labeled "
                                             "(data.labeled); lower it",
                                             data.min_anomalous, data.labeled));
  }
}

// What needs labeled images.
void check_labeled(const Pipeline& pipeline, const Report& report) {
  const auto& data = pipeline.data.options;
  const auto& evaluation = pipeline.evaluation.options;
  const auto rule = evaluation.threshold_rule;
  if (data.labeled == 0 && rule != ThresholdRule::fixed && rule != ThresholdRule::normal_area) {
    report("evaluation.threshold_rule",
           fmt::format("evaluation.threshold_rule is \"{}\", which chooses the threshold on the labeled images, but "
                       "data.labeled is 0; label at least one image, or use \"fixed\" or \"normal_area\"",
                       choice_name(rule, threshold_rules())));
  }
  if (evaluation.folds > std::max<std::int64_t>(data.labeled, 1)) {
    report("evaluation.folds",
           fmt::format("evaluation.folds is {}, but only {} images are labeled (data.labeled); use at most as many, or "
                       "-1 for one fold an image",
                       evaluation.folds, data.labeled));
  } else if (pipeline.train.options.members > 1 && evaluation.folds > pipeline.train.options.members) {
    report("evaluation.folds",
           fmt::format("evaluation.folds is {}, but train.members is {} and each member leaves out one fold, so the "
                       "others would be left out by none; use at most as many, or -1",
                       evaluation.folds, pipeline.train.options.members));
  } else if (evaluation.folds == 1) {
    report("evaluation.folds",
           "evaluation.folds is 1, and the one fold would leave out every labeled image; use at least 2, -1 for one "
           "fold an image, or 0 for none");
  }
  if (data.labeled == 0 && evaluation.tune_postproc && !pipeline.postproc.empty()) {
    report("evaluation.tune_postproc",
           "evaluation.tune_postproc tries options on the labeled images, but data.labeled is 0; label at least "
           "one image, or turn it off");
  }
}

void check_tiles(const Pipeline& pipeline, const Report& report) {
  const auto& data = pipeline.data.options;
  const auto& profile = pipeline.profile.options;
  const std::int64_t step = profile.tile_step == 0 ? profile.patch_size : profile.tile_step;
  if (profile.patch_size > data.image_size) {
    report("profile.patch_size",
           fmt::format("the patch ({0} x {0}, profile.patch_size) is larger than the image ({1} x {1}, "
                       "data.image_size)",
                       profile.patch_size, data.image_size));
  }
  if (step > profile.patch_size) {
    report("profile.tile_step",
           fmt::format("profile.tile_step is {}, more than profile.patch_size ({}): pixels between the "
                       "tiles would have no loss",
                       step, profile.patch_size));
  }
  if (profile.tile_pattern == TilePattern::checkerboard && 2 * step > profile.patch_size) {
    report(
        "profile.tile_pattern",
        fmt::format("profile.tile_pattern = \"checkerboard\" leaves out every other tile, so tiles have to overlap by "
                    "half at least, but profile.tile_step is {} of {} pixels (profile.patch_size); set it to at most "
                    "{}, or the pattern to \"all\"",
                    step, profile.patch_size, profile.patch_size / 2));
  }
  if (profile.tile_offset >= step) {
    report("profile.tile_offset",
           fmt::format("profile.tile_offset is {}, but must be below the distance between tiles ({})",
                       profile.tile_offset, step));
  }
  if (profile.reference_images > 0 && data.resize == data::Resize::tiles) {
    report("profile.reference_images",
           fmt::format("profile.reference_images is {}, which compares images place by place, but with data.resize = "
                       "\"tiles\" each view shows another place; set it to 0",
                       profile.reference_images));
  }
  if (profile.reference_blur % 2 == 0) {
    report("profile.reference_blur",
           fmt::format("profile.reference_blur is {}, but a square with a pixel in its middle has an odd side; use {}",
                       profile.reference_blur, profile.reference_blur + 1));
  }
}

// Whether profiles are ever full, and when the predictor learns from them.
void check_cycles(const Pipeline& pipeline, const Report& report) {
  const auto& profile = pipeline.profile.options;
  const auto& buffer = pipeline.buffer.options;
  const auto& train = pipeline.train.options;
  const std::int64_t needed = (profile.length - 1) * profile.stride + 1;
  if (train.reinit_every > 0 && needed > train.reinit_every) {
    report("train.reinit_every",
           fmt::format("a profile of {} maps every {} iterations is full after {} iterations, but the "
                       "autoencoder is re-initialized every {} (train.reinit_every): no profile would "
                       "ever be full",
                       profile.length, profile.stride, needed, train.reinit_every));
  }
  // A checkpoint worth keeping needs full profiles and a predictor that has just learned.
  const std::int64_t cycle = train.reinit_every > 0 ? std::min(train.reinit_every, train.iterations) : train.iterations;
  if (train.predictor_iterations == 0 && needed <= cycle && buffer.every > cycle - needed + 1) {
    report("buffer.every",
           fmt::format("the predictor learns in every {}-th iteration (buffer.every), but profiles are full only in "
                       "the last {} of an autoencoder's {}: it might never learn while they are; use at most {}",
                       buffer.every, cycle - needed + 1, cycle, cycle - needed + 1));
  }
  const std::int64_t last_cycle =
      train.reinit_every > 0 ? (train.iterations - 1) % train.reinit_every + 1 : train.iterations;
  if (train.predictor_iterations > 0 && needed <= cycle && needed > last_cycle) {
    report("train.predictor_iterations",
           fmt::format("training ends {} iterations into the last autoencoder's cycle, but its profiles are full only "
                       "after {}, so the iterations that train the predictor alone would have none; let "
                       "train.iterations ({}) be a multiple of train.reinit_every ({})",
                       last_cycle, needed, train.iterations, train.reinit_every));
  }
  // Only cycles with full profiles count, which the last may be too short for.
  const std::int64_t cycles =
      (train.iterations - last_cycle) / std::max<std::int64_t>(train.reinit_every, 1) + (needed <= last_cycle ? 1 : 0);
  if (needed <= cycle && profile.cycles > cycles) {
    report("profile.cycles",
           fmt::format("masks are to be made from the last {} cycles of the autoencoder (profile.cycles), but {} "
                       "iterations with a re-initialization every {} (train.reinit_every; 0: never) have {} with "
                       "full profiles",
                       profile.cycles, train.iterations, train.reinit_every, cycles));
  }
  if (needed > train.iterations) {
    report("train.iterations",
           fmt::format("a profile of {} maps every {} iterations is full after {} iterations, but training "
                       "ends after {} (train.iterations)",
                       profile.length, profile.stride, needed, train.iterations));
  }
}

}  // namespace

void cross_check(const Document& document, const Pipeline& pipeline, std::vector<Diagnostic>& problems) {
  const auto& data = pipeline.data.options;
  const auto& buffer = pipeline.buffer.options;
  const auto& train = pipeline.train.options;
  const auto report = [&](const char* option, std::string message) {
    problems.push_back({document.location_of(option), std::move(message)});
  };
  check_data(pipeline, report);
  check_auxiliary(pipeline, report);
  check_labeled(pipeline, report);
  if (pipeline.autoencoder) {
    check_tiles(pipeline, report);
    check_cycles(pipeline, report);
  }
  if (train.patience > 0 && train.predictor_iterations > 0) {
    report(
        "train.patience",
        fmt::format("train.patience is {}, which would end training before the {} iterations that train the predictor "
                    "alone (train.predictor_iterations); set one of the two to 0",
                    train.patience, train.predictor_iterations));
  }
  if (train.patience > 0 && train.student_iterations > 0) {
    report("train.patience",
           fmt::format("train.patience is {}, which would end training before the {} iterations of the students "
                       "(train.student_iterations); set one of the two to 0",
                       train.patience, train.student_iterations));
  }
  if (buffer.crop > data.image_size) {
    report("buffer.crop", fmt::format("buffer.crop is {}, more than the image's {} pixels (data.image_size); lower it, "
                                      "or set it to 0 for whole images",
                                      buffer.crop, data.image_size));
  }
  if (pipeline.sampler && !pipeline.autoencoder)
    report("sampler", "there is a [sampler], but no [autoencoder] that its patches could train");
  if (pipeline.autoencoder && !pipeline.sampler)
    report("autoencoder", "there is an [autoencoder], but no [sampler] that chooses its patches");
}

}  // namespace nbs::config
