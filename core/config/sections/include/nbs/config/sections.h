// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nbs/options.h"

// The host's own sections of a pipeline file, declared as plugins declare theirs. Equations are the
// paper's.

namespace nbs::config {

/// What a profile is divided by before it enters the predictor.
enum class ProfileNormalization { mean, map, none };
/// Which tiles of a grid make up a loss map: all, or every other one, as the black squares of a chessboard.
enum class TilePattern { all, checkerboard };
/// What is applied to a normalized profile.
enum class ProfileTransform { none, log };
/// How beta falls (Eq. 3).
enum class BetaSchedule { linear, hard, zero };
/// What decides R_clone of a patch: whether any of its pixels is anomalous, or how many are.
enum class CloneReward { any, share };
/// Where the autoencoder's patches come from.
enum class AutoencoderImages { all, auxiliary };
/// Where alpha of Eq. 2 comes from.
enum class ClassBalance { balanced, fixed };
/// Which iteration's profiles and predictor are kept.
enum class Selection { lowest_loss, last };
/// How l_pred is smoothed.
enum class Smoothing { none, ema };
enum class Device { cpu, cuda };
inline ChoiceNames<Device> devices() {
  return {{"cpu", Device::cpu}, {"cuda", Device::cuda}};
}
/// Numbers in which networks compute while they learn.
enum class Precision { float32, bf16 };
/// How the threshold is chosen.
enum class ThresholdRule { labeled_f1, recall, precision, false_area, fixed, normal_area };

/// The rules by the names that pipelines and results use.
inline ChoiceNames<ThresholdRule> threshold_rules() {
  return {{"labeled_f1", ThresholdRule::labeled_f1}, {"recall", ThresholdRule::recall},
          {"precision", ThresholdRule::precision},   {"false_area", ThresholdRule::false_area},
          {"fixed", ThresholdRule::fixed},           {"normal_area", ThresholdRule::normal_area}};
}

/// [profile]: what a loss profile is (paper, 3.1).
struct ProfileOptions {
  std::int64_t patch_size = 32;
  std::int64_t length = 16;
  std::int64_t stride = 1;
  std::int64_t tile_step = 0;
  std::int64_t tile_offset = 0;
  TilePattern tile_pattern = TilePattern::all;
  ProfileNormalization normalize = ProfileNormalization::mean;
  ProfileTransform transform = ProfileTransform::none;
  std::int64_t cycles = 1;
  std::int64_t reference_images = 0;
  std::int64_t reference_blur = 5;

  static void declare(Schema<ProfileOptions>& s) {
    s.add("patch_size", &ProfileOptions::patch_size)
        .range(4, 1024)
        .doc("p: side of the autoencoder's patches, in pixels.");
    s.add("length", &ProfileOptions::length).range(1, 256).doc("T: loss maps in a profile.");
    s.add("stride", &ProfileOptions::stride)
        .range(1, 10000)
        .doc("A loss map joins the profile every `stride` iterations; 1 is the paper's text.");
    s.add("tile_step", &ProfileOptions::tile_step)
        .range(0, 1024)
        .doc(
            "Distance between the tiles that a loss map is made of, in pixels; tiles that overlap "
            "are averaged. "
            "0: patch_size, which is the non-overlapping tiling.");
    s.add("tile_offset", &ProfileOptions::tile_offset)
        .range(0, 1023)
        .doc(
            "Shifts the tiling right and down by this many pixels; the border is covered by tiles "
            "moved inwards.");
    s.add("tile_pattern", &ProfileOptions::tile_pattern)
        .choices({{"all", TilePattern::all}, {"checkerboard", TilePattern::checkerboard}})
        .doc(
            "Of tiles that overlap: all, or every other one, as the black squares of a chessboard, which takes half of "
            "the "
            "time. At a tile_step of half the patch_size a pixel then lies under two tiles in place of four.");
    s.add("normalize", &ProfileOptions::normalize)
        .formerly("normalise")
        .choices({{"mean", ProfileNormalization::mean},
                  {"map", ProfileNormalization::map},
                  {"none", ProfileNormalization::none}})
        .doc(
            "What a profile is divided by before it enters the predictor: the mean of all its maps, each map by "
            "its own mean, or nothing.");
    s.add("transform", &ProfileOptions::transform)
        .choices({{"none", ProfileTransform::none}, {"log", ProfileTransform::log}})
        .doc("Applied to the normalized profile: none, or log(x + 0.01).");
    s.add("cycles", &ProfileOptions::cycles)
        .formerly("lives")
        .range(1, 1000)
        .doc(
            "Number of autoencoder cycles (from one re-initialization to the next) whose profiles make a mask: the "
            "last "
            "ones; their predictions are averaged. 1 is the paper.");
    s.add("reference_images", &ProfileOptions::reference_images)
        .formerly("typical_images")
        .range(0, 1e6)
        .doc(
            "Number of images, drawn from those that the autoencoder learns from, whose median loss map is the "
            "reference "
            "map (each map divided by its own mean first). Besides being normalized, loss maps are divided by it pixel "
            "by "
            "pixel. For objects that are all placed alike. 0: not divided, as in the paper.");
    s.add("reference_blur", &ProfileOptions::reference_blur)
        .formerly("typical_blur")
        .range(1, 255)
        .doc(
            "Side of the square over which the reference map is averaged, in pixels and odd; 1: not averaged. It makes "
            "up for objects that are placed only nearly alike.");
  }
};

/// [reward]: Eq. 1 and 3.
struct RewardOptions {
  CloneReward clone = CloneReward::any;
  double clone_weight = 1;
  double cover_weight = 0.7;
  double prediction_weight = 1;
  std::int64_t anneal = 200;
  BetaSchedule schedule = BetaSchedule::linear;
  bool normalize = false;

  static void declare(Schema<RewardOptions>& s) {
    s.add("clone", &RewardOptions::clone)
        .choices({{"any", CloneReward::any}, {"share", CloneReward::share}})
        .doc(
            "R_clone of a patch. any: 1 without anomalous pixels, -1 with some (the paper); share: 1 less twice the "
            "anomalous share of its pixels, which also tells patches apart where hardly any is clean.");
    s.add("clone_weight", &RewardOptions::clone_weight).range(0, 1e6).doc("R_clone is multiplied by this.");
    s.add("cover_weight", &RewardOptions::cover_weight)
        .range(0, 1e6)
        .doc(
            "R_cover is this times the share of the patch that the episode had not covered yet; 0 "
            "turns it off.");
    s.add("prediction_weight", &RewardOptions::prediction_weight)
        .range(0, 1e6)
        .doc("R_pred is minus this times l_pred at the last step of the episode, 0 before (Eq. 1).");
    s.add("anneal", &RewardOptions::anneal)
        .range(1, 1e9)
        .doc("L: iterations until beta has fallen from 1 to 0 (Eq. 3).");
    s.add("schedule", &RewardOptions::schedule)
        .choices({{"linear", BetaSchedule::linear}, {"hard", BetaSchedule::hard}, {"zero", BetaSchedule::zero}})
        .doc(
            "beta: linear as Eq. 3; hard: 1 before iteration L, then 0; zero: no behavior "
            "cloning.");
    s.add("normalize", &RewardOptions::normalize)
        .formerly("normalise")
        .doc(
            "Rewards of a rollout to mean 0 and deviation 1, which removes a terminal-only signal "
            "(paper, 3.2).");
  }
};

/// [buffer]: the FIFO buffer of labeled profiles and the predictor's minibatches drawn from it.
struct BufferOptions {
  std::int64_t capacity = 400;
  std::int64_t batch = 4;
  std::int64_t crop = 128;
  double anomalous_crops = 0;
  double pseudo_labeled = 0.5;
  std::int64_t steps = 1;
  std::int64_t every = 1;
  bool dihedral = true;
  double gain = 0;
  double noise = 0;

  static void declare(Schema<BufferOptions>& s) {
    s.add("capacity", &BufferOptions::capacity).range(1, 1e6).doc("Labeled profiles kept; the oldest leaves first.");
    s.add("batch", &BufferOptions::batch).range(1, 4096).doc("Crops in a minibatch of the predictor.");
    s.add("crop", &BufferOptions::crop)
        .range(0, 65536)
        .doc("Side of the crops that the predictor learns from, in pixels; 0: whole images.");
    s.add("anomalous_crops", &BufferOptions::anomalous_crops)
        .range(0, 1)
        .doc(
            "Share of the crops that are drawn around an anomalous pixel of a labeled image, where there is one; the "
            "others are drawn anywhere. For anomalies so small that most crops would show none.");
    s.add("pseudo_labeled", &BufferOptions::pseudo_labeled)
        .range(0, 0.99)  // of true masks alone it is sure that they show both kinds of pixels
        .doc("Share of the crops of students (`train.student_iterations`) that show an unlabeled image.");
    s.add("steps", &BufferOptions::steps)
        .range(1, 10000)
        .doc("Minibatches, so optimizer steps of the predictor, in an iteration in which it learns.");
    s.add("every", &BufferOptions::every)
        .range(1, 10000)
        .doc("The predictor learns in every so many-th iteration; the paper: in each.");
    s.add("dihedral", &BufferOptions::dihedral)
        .doc("Augmentation in profile space: a random flip and quarter turn of each crop.");
    s.add("gain", &BufferOptions::gain)
        .range(0, 2)
        .doc(
            "Augmentation in profile space: deviation of a log-normal factor on each loss map of a "
            "crop.");
    s.add("noise", &BufferOptions::noise)
        .range(0, 2)
        .doc(
            "Augmentation in profile space: deviation of a log-normal factor on each value of a "
            "crop.");
  }
};

/// [train]: Algorithm 1. One member for each option.
struct TrainOptions {
  std::int64_t iterations = 300;
  std::int64_t predictor_iterations = 0;
  std::int64_t student_iterations = 0;
  std::int64_t student_images = 500;
  std::int64_t members = 1;
  std::int64_t patches = 128;
  std::int64_t clone_patches = 128;
  std::int64_t minibatch = 32;
  bool shuffle = false;
  std::int64_t reinit_every = 64;
  std::int64_t warmup = 16;
  std::int64_t patience = 0;
  AutoencoderImages autoencoder_images = AutoencoderImages::all;
  ClassBalance balance = ClassBalance::fixed;
  double alpha = 0.125;
  Selection selection = Selection::lowest_loss;
  Smoothing smoothing = Smoothing::ema;
  double smoothing_factor = 0.95;
  std::int64_t threads = 0;
  Device device = Device::cpu;
  Precision precision = Precision::float32;
  double checkpoint_minutes = 5;  // changes no result: see changes_results()

  /// Iterations before those of the students.
  std::int64_t teacher_iterations() const { return iterations + predictor_iterations; }
  /// All of one whole model that nothing ends early.
  std::int64_t all_iterations() const { return teacher_iterations() + student_iterations; }
  /// Those of all members of a run.
  std::int64_t run_iterations() const { return members * all_iterations(); }

  // NOLINTNEXTLINE(readability-function-size): a list, one entry for each option
  static void declare(Schema<TrainOptions>& s) {
    s.add("iterations", &TrainOptions::iterations).range(1, 1e9).doc("Iterations j of Algorithm 1 at most.");
    s.add("predictor_iterations", &TrainOptions::predictor_iterations)
        .formerly("finish")
        .range(0, 1e9)
        .doc(
            "Iterations after the others in which only the predictor learns, from the profiles in the buffer; "
            "autoencoder, profiles and sampler stay as they are.");
    s.add("student_iterations", &TrainOptions::student_iterations)
        .range(0, 1e9)
        .doc(
            "Iterations after all others in which new predictors, the students, learn from the labeled images and from "
            "the masks that the first ones make of unlabeled images; the students then make the masks. For predictors "
            "that see no loss profile. 0: none.");
    s.add("student_images", &TrainOptions::student_images)
        .range(1, 1e9)
        .doc("Unlabeled images that students learn from at most, drawn at random; each takes a byte a pixel and fold.");
    s.add("members", &TrainOptions::members)
        .range(1, 1000)
        .doc(
            "Whole models that a run trains one after the other, each with its own autoencoder, sampler and predictor. "
            "Masks are the mean of what all of them say. With more than one, each is taught all labeled images but "
            "those of one fold (evaluation.folds, by default as many as members, and at most one an image), in place "
            "of the folds' predictors, and takes the left-out ones as unlabeled. A run takes that many times as long.");
    s.add("patches", &TrainOptions::patches)
        .range(1, 1e6)
        .doc("N: patches of the rollout that trains the autoencoder.");
    s.add("clone_patches", &TrainOptions::clone_patches)
        .range(1, 1e6)
        .doc("N_c: patches of the rollout on labeled images that gives R_clone and R_cover.");
    s.add("minibatch", &TrainOptions::minibatch).range(1, 1e6).doc("Patches in one optimizer step of the autoencoder.");
    s.add("shuffle", &TrainOptions::shuffle)
        .doc(
            "The patches of a rollout go into minibatches in random order; otherwise neighbors of one image, which a "
            "sampler that walks visits one after the other, share a minibatch.");
    s.add("reinit_every", &TrainOptions::reinit_every)
        .range(0, 1e9)
        .doc("K: iterations between re-initializations of the autoencoder; 0: never.");
    s.add("warmup", &TrainOptions::warmup)
        .range(0, 1e9)
        .doc("M: iterations after a re-initialization that do not train the sampler.");
    s.add("patience", &TrainOptions::patience)
        .range(0, 1e9)
        .doc("Stop when smoothed l_pred has not improved for this many iterations; 0: never.");
    s.add("autoencoder_images", &TrainOptions::autoencoder_images)
        .choices({{"all", AutoencoderImages::all}, {"auxiliary", AutoencoderImages::auxiliary}})
        .doc(
            "Images that the autoencoder's patches come from: labeled and unlabeled ones, or "
            "only the anomaly-free "
            "images that a data set keeps apart for training (MVTec train/good, NanoTWICE "
            "Normal).");
    s.add("balance", &TrainOptions::balance)
        .choices({{"balanced", ClassBalance::balanced}, {"fixed", ClassBalance::fixed}})
        .doc(
            "alpha of Eq. 2: anomalous over normal pixels of the labeled images, or the number "
            "`alpha`.");
    s.add("alpha", &TrainOptions::alpha)
        .range(1e-6, 1e6)
        .doc("Weight of normal pixels in Eq. 2 when balance is \"fixed\".");
    s.add("selection", &TrainOptions::selection)
        .choices({{"lowest_loss", Selection::lowest_loss}, {"last", Selection::last}})
        .doc(
            "The checkpoint whose profiles and predictor are kept: that of the lowest smoothed l_pred, or the last one "
            "at "
            "which profiles were full and the predictor learned.");
    s.add("smoothing", &TrainOptions::smoothing)
        .choices({{"none", Smoothing::none}, {"ema", Smoothing::ema}})
        .doc("How l_pred is smoothed before it is compared.");
    s.add("smoothing_factor", &TrainOptions::smoothing_factor)
        .range(0, 0.9999)
        .doc("Share of the past in the exponential moving average.");
    s.add("threads", &TrainOptions::threads).range(0, 1024).doc("Threads; 0: all cores.");
    s.add("device", &TrainOptions::device).choices(devices()).doc("Where networks run.");
    s.add("precision", &TrainOptions::precision)
        .choices({{"float32", Precision::float32}, {"bf16", Precision::bf16}})
        .doc(
            "Numbers in which autoencoder and predictor compute while they learn. bf16, bfloat16, has eight bits of "
            "precision and can be faster where the processor multiplies it: with AVX-512 BF16 or AMX. Parameters, "
            "losses "
            "and all that is computed without learning stay float32. Plugins of others may not know it; the built-in "
            "ones do.");
    s.add("checkpoint_minutes", &TrainOptions::checkpoint_minutes)
        .range(0, 1e6)
        .doc(
            "Minutes between two checkpoints, from which a run that was cut off goes on as if nothing had happened; 0: "
            "none. Changes no result.");
  }
};

/// [evaluation]: from probabilities to masks and scores. One member for each option.
struct EvaluationOptions {
  ThresholdRule threshold_rule = ThresholdRule::labeled_f1;
  double threshold = 0.5;
  double least_recall = 0.9;
  double least_precision = 0.9;
  double false_area = 100;
  std::int64_t normal_area = 100;
  double normal_share = 0.1;
  std::int64_t folds = -1;
  double fold_steps = 0.5;
  bool tune_postproc = false;
  bool dihedral = false;
  bool scores = true;
  bool predictions = true;

  static void declare(Schema<EvaluationOptions>& s) {
    s.add("threshold_rule", &EvaluationOptions::threshold_rule)
        .choices(threshold_rules())
        .doc(
            "How the threshold is chosen, from which a pixel is anomalous. On the labeled images, all of their pixels "
            "together, masked by predictors that were not taught them (folds): labeled_f1: the middle of the "
            "thresholds with a high F1; recall: the best "
            "precision with a recall of at least `least_recall`; precision: the best recall with a precision of at "
            "least `least_precision`; false_area: the lowest threshold with at most `false_area` normal pixels an "
            "image "
            "predicted anomalous. Otherwise: fixed: the number `threshold`; normal_area: the smallest one at which no "
            "held-out anomaly-free image has a region larger than `normal_area` pixels (Bergmann et al. 2019).");
    s.add("least_recall", &EvaluationOptions::least_recall)
        .range(0, 1)
        .doc("Share of the anomalous pixels to be found, when threshold_rule is \"recall\".");
    s.add("least_precision", &EvaluationOptions::least_precision)
        .range(0, 1)
        .doc("Share of the pixels predicted anomalous that are to be, when threshold_rule is \"precision\".");
    s.add("false_area", &EvaluationOptions::false_area)
        .range(0, 1e9)
        .doc("Pixels an image, at the size at which it is scored, when threshold_rule is \"false_area\".");
    s.add("threshold", &EvaluationOptions::threshold)
        .range(0, 1)
        .doc("Probability from which a pixel is anomalous, when threshold_rule is \"fixed\".");
    s.add("normal_area", &EvaluationOptions::normal_area)
        .range(1, 1e9)
        .doc("Pixels, when threshold_rule is \"normal_area\".");
    s.add("normal_share", &EvaluationOptions::normal_share)
        .range(0.001, 1)
        .doc(
            "Share of the auxiliary images (at least one) that is kept out of training and on which \"normal_area\" "
            "chooses the threshold.");
    s.add("folds", &EvaluationOptions::folds)
        .range(-1, 1e6)
        .doc(
            "Cross-fitting: folds of the labeled images, each left out by a predictor of its own, whose masks of its "
            "fold tell how good masks of images are that no predictor was taught. -1: a fold for each labeled image; "
            "0: none. With train.members above 1 the folds are those of the members.");
    s.add("fold_steps", &EvaluationOptions::fold_steps)
        .range(0.01, 1)
        .doc(
            "Optimizer steps that a fold's predictor takes for each one of the predictor's. Without a meaning with "
            "train.members above 1.");
    s.add("tune_postproc", &EvaluationOptions::tune_postproc)
        .doc(
            "Before the threshold is chosen, the postprocessors' options that name values for tuning are set to "
            "those with the best pooled F1 on the labeled images.");
    s.add("dihedral", &EvaluationOptions::dihedral)
        .doc(
            "Test-time augmentation: a logit is the mean of the predictor's over the eight flips and quarter turns of "
            "its input. Also for nbs predict.");
    s.add("scores", &EvaluationOptions::scores)
        .doc("Compare the masks of unlabeled images with the true ones, where there are any; if not, none is opened.");
    s.add("predictions", &EvaluationOptions::predictions)
        .doc("Write mask, probability and overlay of every unlabeled image.");
  }
};

}  // namespace nbs::config
