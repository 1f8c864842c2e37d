// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/model.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/torch.h"
#include "nbs/training/safetensors.h"

namespace nbs::training {

namespace {

constexpr const char* kAutoencoders = "autoencoders.safetensors";
constexpr const char* kPredictor = "predictor.safetensors";
constexpr const char* kSampler = "sampler.safetensors";

State state_of(const std::vector<Life>& lives) {
  State state;
  const auto count = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  state.write_integer("lives", count(lives.size()));
  for (std::size_t l = 0; l < lives.size(); ++l) {
    const auto& life = lives[l];
    state.write_integer(fmt::format("life{}.maps", l), count(life.snapshots.size()));
    state.write_integer(fmt::format("life{}.typical_maps", l), count(life.typical.size()));
    for (std::size_t t = 0; t < life.snapshots.size(); ++t) {
      const auto& tensors = *life.snapshots[t];
      state.write_integer(fmt::format("life{}.map{}.tensors", l, t), count(tensors.size()));
      for (std::size_t i = 0; i < tensors.size(); ++i)
        state.write(fmt::format("life{}.map{}.tensor{}", l, t, i), tensors[i]);
    }
    for (std::size_t t = 0; t < life.typical.size(); ++t)
      state.write(fmt::format("life{}.typical{}", l, t), life.typical[t]);
  }
  return state;
}

// A count of tensors, of which there cannot be more than there are in all.
std::int64_t count_of(const State& state, const std::string& name) {
  return state.read_integer(name, 0, static_cast<std::int64_t>(state.tensors().size()));
}

std::vector<Life> lives_of(const State& state) {
  std::vector<Life> lives;
  const auto count = count_of(state, "lives");
  for (std::int64_t l = 0; l < count; ++l) {
    Life life;
    const auto maps = count_of(state, fmt::format("life{}.maps", l));
    const auto typical = count_of(state, fmt::format("life{}.typical_maps", l));
    for (std::int64_t t = 0; t < maps; ++t) {
      std::vector<torch::Tensor> tensors;
      const auto in_set = count_of(state, fmt::format("life{}.map{}.tensors", l, t));
      for (std::int64_t i = 0; i < in_set; ++i)
        tensors.push_back(state.read_as_stored(fmt::format("life{}.map{}.tensor{}", l, t, i)));
      life.snapshots.push_back(std::make_shared<const std::vector<torch::Tensor>>(std::move(tensors)));
    }
    for (std::int64_t t = 0; t < typical; ++t)
      life.typical.push_back(state.read_any_shape(fmt::format("life{}.typical{}", l, t), torch::kFloat32));
    lives.push_back(std::move(life));
  }
  state.require_all_read();
  return lives;
}

State read_state(const std::filesystem::path& folder, const std::string& name, const ModelHashes& hashes) {
  const auto file = folder / name;
  const auto bytes = read_file(file, "model file");
  const auto found = sha256(bytes);
  if (found != hashes.at(name)) {
    throw Error(
        fmt::format("the model file {} has the SHA-256 {}, but the run's result.json says {}: it is damaged, or of "
                    "another run; copy it again, or train again",
                    file.string(), found, hashes.at(name)));
  }
  return from_safetensors(bytes, file.string());
}

}  // namespace

ModelHashes write_model(const std::filesystem::path& folder, const Model& model) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  ModelHashes hashes;
  const auto write = [&](const char* name, const State& state) {
    const auto bytes = to_safetensors(state);
    write_file(folder / name, bytes);
    hashes[name] = sha256(bytes);
  };
  if (!model.lives.empty()) write(kAutoencoders, state_of(model.lives));
  write(kPredictor, model.predictor);
  if (model.sampler) write(kSampler, *model.sampler);
  return hashes;
}

Model read_model(const std::filesystem::path& folder, const ModelHashes& hashes) {
  if (hashes.count(kPredictor) == 0) {
    throw Error(fmt::format("the model in {} has no {}, without which no mask can be made; run it again",
                            folder.string(), kPredictor));
  }
  Model model;
  if (hashes.count(kAutoencoders) != 0) model.lives = lives_of(read_state(folder, kAutoencoders, hashes));
  model.predictor = read_state(folder, kPredictor, hashes);
  if (hashes.count(kSampler) != 0) model.sampler = read_state(folder, kSampler, hashes);
  return model;
}

void require_fit(const std::vector<Life>& lives, Autoencoder& autoencoder, std::int64_t length,
                 std::int64_t image_size) {
  constexpr const char* kAdvice = "it belongs to another pipeline, so run this one again";
  const auto wanted = autoencoder.state();
  const auto refuse = [&](std::size_t l, const std::string& reason) {
    throw Error(fmt::format("life {} of the model's autoencoder has {}; {}", l, reason, kAdvice));
  };
  const std::vector<std::int64_t> map_shape = {image_size, image_size};
  for (std::size_t l = 0; l < lives.size(); ++l) {
    const auto& life = lives[l];
    if (static_cast<std::int64_t>(life.snapshots.size()) != length)
      refuse(l, fmt::format("{} parameter sets, but profile.length is {}", life.snapshots.size(), length));
    if (!life.typical.empty() && life.typical.size() != life.snapshots.size()) {
      refuse(l, fmt::format("{} typical losses for {} parameter sets", life.typical.size(), life.snapshots.size()));
    }
    for (const auto& snapshot : life.snapshots) {
      if (snapshot->size() != wanted.size())
        refuse(l, fmt::format("{} tensors, but the pipeline's has {}", snapshot->size(), wanted.size()));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& held = (*snapshot)[i];
        if (held.sizes() == wanted[i].sizes() && held.scalar_type() == wanted[i].scalar_type()) continue;
        refuse(l, fmt::format("a tensor of shape {}, but the pipeline's is {}", State::shape_text(held.sizes()),
                              State::shape_text(wanted[i].sizes())));
      }
    }
    for (const auto& map : life.typical) {
      if (map.sizes().vec() != map_shape) {
        refuse(l, fmt::format("typical losses of shape {}, but images have {}", State::shape_text(map.sizes()),
                              State::shape_text(map_shape)));
      }
    }
  }
}

}  // namespace nbs::training
