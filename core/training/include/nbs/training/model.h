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

namespace nbs::training {

/// The end of a life of the autoencoder, from which profiles can be made again.
struct Life {
  std::vector<Snapshot> snapshots;     ///< its last T parameter sets, oldest first
  std::vector<torch::Tensor> typical;  ///< typical_loss() [S, S] of each; empty if profiles are not relative
};

/// All that masks are made with.
struct Model {
  std::vector<Life> lives;  ///< the last lives that masks are made from, oldest first; empty without an autoencoder
  State predictor;          ///< what Predictor::save wrote
  std::optional<State> sampler;  ///< what Sampler::save wrote; nothing without one
};

/// The SHA-256 of each file of a model, by its name.
using ModelHashes = std::map<std::string, std::string>;

/// Writes a model into the folder `model/` of a run, as safetensors files: autoencoders (with lives), predictor,
/// sampler (with one). Throws nbs::Error.
ModelHashes write_model(const std::filesystem::path& folder, const Model& model);

/// Reads the files that `hashes` names. Throws nbs::Error, a sentence with the file, if one is missing, is not the one
/// that was hashed (damaged, or another run's), or holds anything but a model.
Model read_model(const std::filesystem::path& folder, const ModelHashes& hashes);

/// Throws nbs::Error unless the parameter sets are those of `autoencoder` and there are `length` of them in each life,
/// with typical losses, if any, of `image_size` x `image_size` pixels.
void require_fit(const std::vector<Life>& lives, Autoencoder& autoencoder, std::int64_t length,
                 std::int64_t image_size);

}  // namespace nbs::training
