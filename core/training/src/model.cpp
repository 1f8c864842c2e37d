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

State state_of(const std::vector<Cycle>& cycles) {
  State state;
  const auto count = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  state.write_integer("cycles", count(cycles.size()));
  for (std::size_t l = 0; l < cycles.size(); ++l) {
    const auto& cycle = cycles[l];
    state.write_integer(fmt::format("cycle{}.maps", l), count(cycle.snapshots.size()));
    state.write_integer(fmt::format("cycle{}.reference_maps", l), count(cycle.reference.size()));
    for (std::size_t t = 0; t < cycle.snapshots.size(); ++t) {
      const auto& tensors = *cycle.snapshots[t];
      state.write_integer(fmt::format("cycle{}.map{}.tensors", l, t), count(tensors.size()));
      for (std::size_t i = 0; i < tensors.size(); ++i)
        state.write(fmt::format("cycle{}.map{}.tensor{}", l, t, i), tensors[i]);
    }
    for (std::size_t t = 0; t < cycle.reference.size(); ++t)
      state.write(fmt::format("cycle{}.reference{}", l, t), cycle.reference[t]);
  }
  return state;
}

// A count of tensors, of which there cannot be more than there are in all.
std::int64_t count_of(const State& state, const std::string& name) {
  return state.read_integer(name, 0, static_cast<std::int64_t>(state.tensors().size()));
}

std::vector<Cycle> cycles_of(const State& state) {
  std::vector<Cycle> cycles;
  const auto count = count_of(state, "cycles");
  for (std::int64_t l = 0; l < count; ++l) {
    Cycle cycle;
    const auto maps = count_of(state, fmt::format("cycle{}.maps", l));
    const auto reference = count_of(state, fmt::format("cycle{}.reference_maps", l));
    for (std::int64_t t = 0; t < maps; ++t) {
      std::vector<torch::Tensor> tensors;
      const auto in_set = count_of(state, fmt::format("cycle{}.map{}.tensors", l, t));
      for (std::int64_t i = 0; i < in_set; ++i)
        tensors.push_back(state.read_as_stored(fmt::format("cycle{}.map{}.tensor{}", l, t, i)));
      cycle.snapshots.push_back(std::make_shared<const std::vector<torch::Tensor>>(std::move(tensors)));
    }
    for (std::int64_t t = 0; t < reference; ++t)
      cycle.reference.push_back(state.read_any_shape(fmt::format("cycle{}.reference{}", l, t), torch::kFloat32));
    cycles.push_back(std::move(cycle));
  }
  state.require_all_read();
  return cycles;
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
  if (!model.cycles.empty()) write(kAutoencoders, state_of(model.cycles));
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
  if (hashes.count(kAutoencoders) != 0) model.cycles = cycles_of(read_state(folder, kAutoencoders, hashes));
  model.predictor = read_state(folder, kPredictor, hashes);
  if (hashes.count(kSampler) != 0) model.sampler = read_state(folder, kSampler, hashes);
  return model;
}

void require_fit(const std::vector<Cycle>& cycles, Autoencoder& autoencoder, std::int64_t length,
                 std::int64_t image_size) {
  constexpr const char* kAdvice = "it belongs to another pipeline, so run this one again";
  const auto wanted = autoencoder.state();
  const auto refuse = [&](std::size_t l, const std::string& reason) {
    throw Error(fmt::format("cycle {} of the model's autoencoder has {}; {}", l, reason, kAdvice));
  };
  const std::vector<std::int64_t> map_shape = {image_size, image_size};
  for (std::size_t l = 0; l < cycles.size(); ++l) {
    const auto& cycle = cycles[l];
    if (static_cast<std::int64_t>(cycle.snapshots.size()) != length)
      refuse(l, fmt::format("{} parameter sets, but profile.length is {}", cycle.snapshots.size(), length));
    if (!cycle.reference.empty() && cycle.reference.size() != cycle.snapshots.size()) {
      refuse(l, fmt::format("{} reference maps for {} parameter sets", cycle.reference.size(), cycle.snapshots.size()));
    }
    for (const auto& snapshot : cycle.snapshots) {
      if (snapshot->size() != wanted.size())
        refuse(l, fmt::format("{} tensors, but the pipeline's has {}", snapshot->size(), wanted.size()));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& held = (*snapshot)[i];
        if (held.sizes() == wanted[i].sizes() && held.scalar_type() == wanted[i].scalar_type()) continue;
        refuse(l, fmt::format("a tensor of shape {}, but the pipeline's is {}", State::shape_text(held.sizes()),
                              State::shape_text(wanted[i].sizes())));
      }
    }
    for (const auto& map : cycle.reference) {
      if (map.sizes().vec() != map_shape) {
        refuse(l, fmt::format("reference maps of shape {}, but images have {}", State::shape_text(map.sizes()),
                              State::shape_text(map_shape)));
      }
    }
  }
}

}  // namespace nbs::training
