// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/inference.h"

#include <sstream>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/torch.h"
#include "nbs/training/batches.h"
#include "nbs/training/typical_loss.h"

namespace nbs::training {

Inference::Inference(Components components, const config::ProfileOptions& profile, bool dihedral,
                     std::int64_t image_size, Moment moment)
    : components_(std::move(components)),
      profile_(profile),
      dihedral_(dihedral),
      // Without profiles, [profile] is not looked at.
      tiling_(components_.predictor->needs_profile()
                  ? Tiling(image_size, std::min(profile.patch_size, image_size), profile.tile_step, profile.tile_offset)
                  : Tiling(image_size, image_size)),
      moment_(std::move(moment)) {
  if (components_.predictor->needs_profile() && moment_.lives.empty())
    throw Error("the predictor needs loss profiles, but the model holds no autoencoder to make them; run it again");
  load_from_bytes(*components_.predictor, moment_.predictor);
}

torch::Tensor Inference::profile(const torch::Tensor& image) {
  return replay_profile(*components_.autoencoder, tiling_, moment_.lives.back().snapshots, image);
}

torch::Tensor Inference::prepared_profile(const Life& life, const torch::Tensor& image) {
  auto recorded = replay_profile(*components_.autoencoder, tiling_, life.snapshots, image);
  const auto scales = profile_scales(profile_, map_means(recorded));
  for (std::size_t t = 0; t < life.typical.size(); ++t) {
    auto map = recorded[static_cast<std::int64_t>(t)];
    map.copy_(relative_loss(map, life.typical[t]));
  }
  return prepare_profile(profile_, recorded, scales);
}

torch::Tensor Inference::predict(const PredictorInput& input) {
  auto& predictor = *components_.predictor;
  if (!dihedral_) return torch::sigmoid(predictor.logits(input)[0]);
  torch::Tensor sum;
  for (std::int64_t turn = 0; turn < 8; ++turn) {
    PredictorInput turned;
    if (input.profile.defined()) turned.profile = dihedral(input.profile, turn).contiguous();
    if (input.image.defined()) turned.image = dihedral(input.image, turn).contiguous();
    const auto probability = dihedral_back(torch::sigmoid(predictor.logits(turned)[0]), turn);
    sum = sum.defined() ? sum.add_(probability) : probability.contiguous();
  }
  return sum.div_(8);
}

torch::Tensor Inference::probability(const torch::Tensor& image) {
  torch::NoGradGuard no_grad;
  PredictorInput input;
  if (components_.predictor->needs_image()) input.image = image.unsqueeze(0);
  if (!components_.predictor->needs_profile()) return predict(input);
  torch::Tensor sum;
  for (const auto& life : moment_.lives) {
    input.profile = prepared_profile(life, image).unsqueeze(0);
    const auto probability = predict(input);
    sum = sum.defined() ? sum.add_(probability) : probability;
  }
  return sum.div_(static_cast<double>(moment_.lives.size()));
}

void write_moment(const std::filesystem::path& folder, const Moment& moment) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  torch::serialize::OutputArchive archive;
  const auto count = [](std::size_t value) { return torch::tensor(static_cast<std::int64_t>(value)); };
  archive.write("iteration", torch::tensor(moment.iteration));
  archive.write("loss", torch::tensor(moment.loss, torch::kFloat64));
  archive.write("lives", count(moment.lives.size()));
  for (std::size_t l = 0; l < moment.lives.size(); ++l) {
    const auto& life = moment.lives[l];
    archive.write(fmt::format("life{}.maps", l), count(life.snapshots.size()));
    archive.write(fmt::format("life{}.typical_maps", l), count(life.typical.size()));
    for (std::size_t t = 0; t < life.snapshots.size(); ++t) {
      const auto& tensors = *life.snapshots[t];
      archive.write(fmt::format("life{}.map{}.tensors", l, t), count(tensors.size()));
      for (std::size_t i = 0; i < tensors.size(); ++i)
        archive.write(fmt::format("life{}.map{}.tensor{}", l, t, i), tensors[i]);
    }
    for (std::size_t t = 0; t < life.typical.size(); ++t)
      archive.write(fmt::format("life{}.typical{}", l, t), life.typical[t]);
  }
  std::ostringstream bytes;
  archive.save_to(bytes);
  write_file(folder / "autoencoders.pt", bytes.str());
  write_file(folder / "predictor.pt", moment.predictor);
  if (!moment.sampler.empty()) write_file(folder / "sampler.pt", moment.sampler);
}

Moment read_moment(const std::filesystem::path& folder) {
  Moment moment;
  std::istringstream bytes(read_file(folder / "autoencoders.pt", "model file"));
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(bytes);
    // A fresh tensor for each, as read() leaves one that is defined already with its type.
    const auto tensor = [&archive](const std::string& name) {
      torch::Tensor value;
      archive.read(name, value);
      return value;
    };
    const auto count = [&tensor](const std::string& name) { return tensor(name).item<std::int64_t>(); };
    moment.iteration = count("iteration");
    moment.loss = tensor("loss").item<double>();
    const auto lives = count("lives");
    for (std::int64_t l = 0; l < lives; ++l) {
      Life life;
      const auto maps = count(fmt::format("life{}.maps", l));
      const auto typical = count(fmt::format("life{}.typical_maps", l));
      for (std::int64_t t = 0; t < maps; ++t) {
        std::vector<torch::Tensor> tensors;
        const auto in_set = count(fmt::format("life{}.map{}.tensors", l, t));
        for (std::int64_t i = 0; i < in_set; ++i)
          tensors.push_back(tensor(fmt::format("life{}.map{}.tensor{}", l, t, i)));
        life.snapshots.push_back(std::make_shared<const std::vector<torch::Tensor>>(std::move(tensors)));
      }
      for (std::int64_t t = 0; t < typical; ++t)
        life.typical.push_back(tensor(fmt::format("life{}.typical{}", l, t)));
      moment.lives.push_back(std::move(life));
    }
  } catch (const c10::Error& error) {
    throw Error(fmt::format("the model in {} cannot be read: {}", folder.string(), error.what_without_backtrace()));
  }
  moment.predictor = read_file(folder / "predictor.pt", "model file");
  if (std::filesystem::exists(folder / "sampler.pt")) moment.sampler = read_file(folder / "sampler.pt", "model file");
  return moment;
}

}  // namespace nbs::training
