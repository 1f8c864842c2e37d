// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/model.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/tensor.h"
#include "nbs/training/safetensors.h"

namespace nbs::training {

namespace {

// The parts of a model, each a file or a part of a checkpoint.
constexpr const char* kAutoencoders = "autoencoders";
constexpr const char* kPredictor = "predictor";
constexpr const char* kSampler = "sampler";
constexpr const char* kFolds = "folds";
constexpr const char* kPrior = "prior";
constexpr const char* kPriorLogOdds = "log_odds";
constexpr const char* kLeftOut = "left_out";
constexpr const char* kLeftOutImages = "images";
constexpr const char* kEnding = ".safetensors";
constexpr std::int64_t kMostLabeled = std::int64_t{1} << 32;
constexpr std::int64_t kMostMembers = std::int64_t{1} << 32;

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

State state_of(const std::vector<FoldModel>& folds) {
  State state;
  StateWriter writer(state);
  write_folds(writer, kFolds, folds);
  return state;
}

using Parts = std::map<std::string, State>;

Parts parts_of(const Model& model) {
  Parts parts;
  if (!model.cycles.empty()) parts.emplace(kAutoencoders, state_of(model.cycles));
  parts.emplace(kPredictor, model.predictor);
  if (model.sampler) parts.emplace(kSampler, *model.sampler);
  if (!model.folds.empty()) parts.emplace(kFolds, state_of(model.folds));
  if (model.prior_log_odds != 0) StateWriter(parts[kPrior]).number(kPriorLogOdds, model.prior_log_odds);
  if (!model.left_out.empty()) StateWriter(parts[kLeftOut]).integers(kLeftOutImages, model.left_out);
  return parts;
}

Model model_of(const Parts& parts) {
  Model model;
  for (const auto& [name, state] : parts) {
    const StateReader reader(state);
    if (name == kPredictor)
      model.predictor = state;
    else if (name == kSampler)
      model.sampler = state;
    else if (name == kAutoencoders)
      model.cycles = cycles_of(state);
    else if (name == kFolds)
      model.folds = read_folds(reader, kFolds, kMostLabeled);
    else if (name == kPrior)
      model.prior_log_odds = reader.number(kPriorLogOdds);
    else if (name == kLeftOut)
      model.left_out = reader.integers(kLeftOutImages);
    // Components say themselves what they do not read, and cycles_of() does.
    if (name == kFolds || name == kPrior || name == kLeftOut) state.require_all_read();
  }
  return model;
}

// The part that a file of a model holds, by its name; the files of a later version's other parts are not read.
bool is_part(const std::string& name) {
  const auto names = {kAutoencoders, kPredictor, kSampler, kFolds, kPrior, kLeftOut};
  return std::find(names.begin(), names.end(), name) != names.end();
}

State read_state(const std::filesystem::path& file, const std::string& hash) {
  const auto bytes = read_file(file, "model file");
  const auto found = sha256(bytes);
  if (found != hash) {
    throw Error(
        fmt::format("the model file {} has the SHA-256 {}, but the run's result.json says {}: it is damaged, or of "
                    "another run; copy it again, or train again",
                    file.string(), found, hash));
  }
  return from_safetensors(bytes, file.string());
}

constexpr const char* kMember = "member";

// "" for the one model of a run.
std::string folder_of(const std::optional<std::int64_t>& member) {
  return member ? fmt::format("{}{}/", kMember, *member) : "";
}

// The members whose models these files are.
std::set<std::int64_t> members_of(const ModelHashes& hashes) {
  std::set<std::int64_t> members;
  const std::string begin = kMember;
  for (const auto& [name, hash] : hashes) {
    const auto folder = std::filesystem::path(name).parent_path().string();
    if (folder.rfind(begin, 0) != 0) continue;
    const auto digits = folder.substr(begin.size());
    if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) continue;
    members.insert(std::stoll(digits));
  }
  return members;
}

Model read_one(const std::filesystem::path& folder, const std::optional<std::int64_t>& number,
               const ModelHashes& hashes) {
  const auto member = folder_of(number);
  if (hashes.count(member + kPredictor + kEnding) == 0) {
    throw Error(fmt::format("the model in {} has no {}{}{}, without which no mask can be made; run it again",
                            folder.string(), member, kPredictor, kEnding));
  }
  Parts parts;
  for (const auto& [name, hash] : hashes) {
    const std::filesystem::path file(name);
    const auto part = file.stem().string();
    if (member + part + kEnding == name && is_part(part)) parts.emplace(part, read_state(folder / file, hash));
  }
  auto model = model_of(parts);
  model.member = number;
  return model;
}

[[noreturn]] void refuse(const std::string& label, const std::string& reason) {
  throw Error(fmt::format("{} has {}; it belongs to another pipeline, so run this one again", label, reason));
}

// Parameters of the same shapes and types as the autoencoder's, and a reference map for each set or none.
void require_cycle_fits(const Cycle& cycle, const std::string& label, Autoencoder& autoencoder,
                        std::int64_t image_size) {
  const auto wanted = autoencoder.state();
  const std::vector<std::int64_t> map_shape = {image_size, image_size};
  if (!cycle.reference.empty() && cycle.reference.size() != cycle.snapshots.size()) {
    refuse(label,
           fmt::format("{} reference maps for {} parameter sets", cycle.reference.size(), cycle.snapshots.size()));
  }
  for (const auto& snapshot : cycle.snapshots) {
    if (snapshot->size() != wanted.size())
      refuse(label, fmt::format("{} tensors, but the pipeline's has {}", snapshot->size(), wanted.size()));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto& held = (*snapshot)[i];
      if (held.sizes() == wanted[i].sizes() && held.scalar_type() == wanted[i].scalar_type()) continue;
      refuse(label, fmt::format("a tensor of shape {}, but the pipeline's is {}", State::shape_text(held.sizes()),
                                State::shape_text(wanted[i].sizes())));
    }
  }
  for (const auto& map : cycle.reference) {
    if (map.sizes().vec() == map_shape && map.scalar_type() == torch::kFloat32) continue;
    refuse(label, fmt::format("reference maps of shape {}, but images have {}", State::shape_text(map.sizes()),
                              State::shape_text(map_shape)));
  }
}

}  // namespace

ModelHashes write_models(const std::filesystem::path& folder, const std::vector<Model>& models) {
  ModelHashes hashes;
  for (const auto& model : models) {
    const auto member = folder_of(model.member);
    std::error_code failed;
    std::filesystem::create_directories(folder / member, failed);
    for (const auto& [part, state] : parts_of(model)) {
      const auto name = member + part + kEnding;
      const auto bytes = to_safetensors(state);
      write_file(folder / name, bytes);
      hashes[name] = sha256(bytes);
    }
  }
  return hashes;
}

std::vector<Model> read_models(const std::filesystem::path& folder, const ModelHashes& hashes) {
  const auto members = members_of(hashes);
  if (members.empty()) return {read_one(folder, std::nullopt, hashes)};
  std::vector<Model> models;
  models.reserve(members.size());
  for (const auto member : members)
    models.push_back(read_one(folder, member, hashes));
  return models;
}

void write_model(StateWriter& writer, const std::string& name, const Model& model) {
  const auto parts = parts_of(model);
  std::string names;
  for (const auto& [part, state] : parts) {
    names += part + "\n";
    writer.part(fmt::format("{}.{}", name, part), state);
  }
  writer.bytes(name + ".parts", names);
  writer.integer(name + ".member", model.member.value_or(-1));
}

Model read_model(const StateReader& reader, const std::string& name) {
  Parts parts;
  std::istringstream names(reader.bytes(name + ".parts"));
  for (std::string part; std::getline(names, part);)
    parts.emplace(part, reader.part(fmt::format("{}.{}", name, part)));
  auto model = model_of(parts);
  const auto member = reader.integer(name + ".member", -1, kMostMembers);
  if (member >= 0) model.member = member;
  return model;
}

void require_fit(const std::vector<Cycle>& cycles, Autoencoder& autoencoder, std::int64_t length,
                 std::int64_t image_size) {
  for (std::size_t l = 0; l < cycles.size(); ++l) {
    const auto label = fmt::format("cycle {} of the model's autoencoder", l);
    if (static_cast<std::int64_t>(cycles[l].snapshots.size()) != length) {
      refuse(label, fmt::format("{} parameter sets, but profile.length is {}", cycles[l].snapshots.size(), length));
    }
    require_cycle_fits(cycles[l], label, autoencoder, image_size);
  }
}

void write_folds(StateWriter& writer, const std::string& name, const std::vector<FoldModel>& folds) {
  writer.integer(name + ".count", static_cast<std::int64_t>(folds.size()));
  for (std::size_t k = 0; k < folds.size(); ++k) {
    writer.integers(fmt::format("{}.fold{}.left_out", name, k), folds[k].left_out);
    writer.part(fmt::format("{}.fold{}.predictor", name, k), folds[k].predictor);
  }
}

std::vector<FoldModel> read_folds(const StateReader& reader, const std::string& name, std::int64_t labeled) {
  std::vector<FoldModel> folds;
  const auto count = reader.integer(name + ".count", 0, labeled);
  for (std::int64_t k = 0; k < count; ++k) {
    auto& fold = folds.emplace_back();
    fold.left_out = reader.integers(fmt::format("{}.fold{}.left_out", name, k));
    for (const auto image : fold.left_out) {
      reader.require(image >= 0 && image < labeled,
                     fmt::format("fold {} leaves out the labeled image {}, but there are {}", k, image, labeled));
    }
    fold.predictor = reader.part(fmt::format("{}.fold{}.predictor", name, k));
  }
  return folds;
}

void write_cycle(StateWriter& writer, const std::string& name, const Cycle& cycle) {
  std::vector<torch::Tensor> tensors;
  for (const auto& snapshot : cycle.snapshots)
    tensors.insert(tensors.end(), snapshot->begin(), snapshot->end());
  writer.integer(name + ".sets", static_cast<std::int64_t>(cycle.snapshots.size()));
  writer.shared(name + ".parameters", tensors);
  writer.shared(name + ".reference", cycle.reference);
}

Cycle read_cycle(const StateReader& reader, const std::string& name, Autoencoder& autoencoder, std::int64_t least,
                 std::int64_t length, std::int64_t image_size) {
  Cycle cycle;
  const auto sets = reader.integer(name + ".sets", least, length);
  const auto tensors = reader.shared(name + ".parameters");
  const auto in_set = autoencoder.state().size();
  reader.require(tensors.size() == static_cast<std::size_t>(sets) * in_set,
                 fmt::format("\"{}\" has {} tensors, but the {} parameter sets of this autoencoder have {}", name,
                             tensors.size(), sets, static_cast<std::size_t>(sets) * in_set));
  for (auto first = tensors.begin(); first != tensors.end(); first += static_cast<std::ptrdiff_t>(in_set)) {
    cycle.snapshots.push_back(
        std::make_shared<const std::vector<torch::Tensor>>(first, first + static_cast<std::ptrdiff_t>(in_set)));
  }
  cycle.reference = reader.shared(name + ".reference");
  require_cycle_fits(cycle, fmt::format("\"{}\"", name), autoencoder, image_size);
  return cycle;
}

}  // namespace nbs::training
