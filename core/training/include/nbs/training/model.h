// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nbs/state.h"
#include "nbs/training/profile.h"
#include "nbs/training/state_io.h"

namespace nbs::training {

/// The end of a cycle of the autoencoder, from which profiles can be made again.
struct Cycle {
  std::vector<Snapshot> snapshots;       ///< its last T parameter sets, oldest first
  std::vector<torch::Tensor> reference;  ///< reference_loss() [S, S] of each; empty if profiles are not relative
};

/// A predictor that was taught without some of the labeled images (CrossFit).
struct FoldModel {
  std::vector<std::int64_t> left_out;  ///< these labeled images of the data set, from 0
  State predictor;                     ///< what Predictor::save wrote
};

/// A whole model: all that masks are made with, but for runs of several members (train.members), of which each has one.
struct Model {
  std::vector<Cycle> cycles;  ///< the last cycles that masks are made from, oldest first; empty without an autoencoder
  State predictor;            ///< what Predictor::save wrote
  std::optional<State> sampler;  ///< what Sampler::save wrote; nothing without one
  std::vector<FoldModel> folds;  ///< empty without cross-fitting
  /// Is added to every logit. 0 unless train.balance is "balanced": then the logarithm of the odds of an anomalous
  /// pixel in the labeled images. That loss lets both classes weigh the same, so what a predictor learns lacks just
  /// this term (prior correction, King & Zeng 2001).
  double prior_log_odds = 0;
  /// Which of the run's members it is of, from 0; nothing in a run that has one model.
  std::optional<std::int64_t> member;
  /// The labeled images of the data set, from 0, that the predictor was not taught; empty unless it is a member's.
  std::vector<std::int64_t> left_out;
};

/// Writes a cycle under names that begin with `name`.
void write_cycle(StateWriter& writer, const std::string& name, const Cycle& cycle);
/// Reads what write_cycle() wrote. Throws nbs::Error unless it fits `autoencoder` and images of `image_size` pixels,
/// and has `least` to `length` parameter sets.
Cycle read_cycle(const StateReader& reader, const std::string& name, Autoencoder& autoencoder, std::int64_t least,
                 std::int64_t length, std::int64_t image_size);

/// Writes folds under names that begin with `name`.
void write_folds(StateWriter& writer, const std::string& name, const std::vector<FoldModel>& folds);
/// Reads what write_folds() wrote. Throws nbs::Error unless the images left out are among the `labeled` first.
std::vector<FoldModel> read_folds(const StateReader& reader, const std::string& name, std::int64_t labeled);

/// The SHA-256 of each file of a model, by its name.
using ModelHashes = std::map<std::string, std::string>;

/// Writes models into the folder `model/` of a run, as safetensors files: autoencoders (with cycles), predictor,
/// sampler (with one), folds (with cross-fitting), prior (with its correction), left_out (of a member). Those of
/// members are in folders of their own, member0, member1, …, which are a part of the names that are returned. Throws
/// nbs::Error.
ModelHashes write_models(const std::filesystem::path& folder, const std::vector<Model>& models);

/// Reads the files that `hashes` names. Throws nbs::Error, a sentence with the file, if one is missing, is not the one
/// that was hashed (damaged, or another run's), or holds anything but a model.
std::vector<Model> read_models(const std::filesystem::path& folder, const ModelHashes& hashes);

/// Writes a model under names that begin with `name`.
void write_model(StateWriter& writer, const std::string& name, const Model& model);
/// Reads what write_model() wrote. Throws nbs::Error for anything else.
Model read_model(const StateReader& reader, const std::string& name);

/// Throws nbs::Error unless the parameter sets are those of `autoencoder` and there are `length` of them in each cycle,
/// with reference maps, if any, of `image_size` x `image_size` pixels.
void require_fit(const std::vector<Cycle>& cycles, Autoencoder& autoencoder, std::int64_t length,
                 std::int64_t image_size);

}  // namespace nbs::training
