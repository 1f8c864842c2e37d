// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/inference.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/torch.h"

namespace nbs::training {

namespace {

std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(fmt::format("the model file {} cannot be read; is the run complete?", file.string()));
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.flush();
  if (!stream) throw Error(fmt::format("writing {} failed; is the disk full?", file.string()));
}

}  // namespace

Inference::Inference(Components components, const config::ProfileOptions& profile, std::int64_t image_size,
                     Moment moment)
    : components_(std::move(components)),
      profile_(profile),
      tiling_(image_size, std::min(profile.patch_size, image_size), profile.tile_step, profile.tile_offset),
      moment_(std::move(moment)) {
  load_from_bytes(*components_.predictor, moment_.predictor);
}

torch::Tensor Inference::profile(const torch::Tensor& image) {
  return replay_profile(*components_.autoencoder, tiling_, moment_.snapshots, image);
}

torch::Tensor Inference::probability(const torch::Tensor& image) {
  torch::NoGradGuard no_grad;
  PredictorInput input;
  if (components_.predictor->needs_profile()) {
    const auto recorded = profile(image);
    input.profile = prepare_profile(profile_, recorded, profile_scales(profile_, map_means(recorded))).unsqueeze(0);
  }
  if (components_.predictor->needs_image()) input.image = image.unsqueeze(0);
  return torch::sigmoid(components_.predictor->logits(input)[0]);
}

void write_moment(const std::filesystem::path& folder, const Moment& moment) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  torch::serialize::OutputArchive archive;
  archive.write("maps", torch::tensor(static_cast<std::int64_t>(moment.snapshots.size())));
  archive.write("iteration", torch::tensor(moment.iteration));
  archive.write("loss", torch::tensor(moment.loss, torch::kFloat64));
  for (std::size_t t = 0; t < moment.snapshots.size(); ++t) {
    const auto& tensors = *moment.snapshots[t];
    archive.write(fmt::format("tensors{}", t), torch::tensor(static_cast<std::int64_t>(tensors.size())));
    for (std::size_t i = 0; i < tensors.size(); ++i)
      archive.write(fmt::format("map{}_{}", t, i), tensors[i]);
  }
  std::ostringstream bytes;
  archive.save_to(bytes);
  write_bytes(folder / "autoencoders.pt", bytes.str());
  write_bytes(folder / "predictor.pt", moment.predictor);
  if (!moment.sampler.empty()) write_bytes(folder / "sampler.pt", moment.sampler);
}

Moment read_moment(const std::filesystem::path& folder) {
  Moment moment;
  std::istringstream bytes(read_bytes(folder / "autoencoders.pt"));
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(bytes);
    torch::Tensor value;
    archive.read("iteration", value);
    moment.iteration = value.item<std::int64_t>();
    torch::Tensor loss;  // read() leaves a tensor that is defined already with its type
    archive.read("loss", loss);
    moment.loss = loss.item<double>();
    archive.read("maps", value);
    const auto maps = value.item<std::int64_t>();
    for (std::int64_t t = 0; t < maps; ++t) {
      archive.read(fmt::format("tensors{}", t), value);
      auto tensors = std::make_shared<std::vector<torch::Tensor>>(static_cast<std::size_t>(value.item<std::int64_t>()));
      for (std::size_t i = 0; i < tensors->size(); ++i)
        archive.read(fmt::format("map{}_{}", t, i), (*tensors)[i]);
      moment.snapshots.push_back(std::move(tensors));
    }
  } catch (const c10::Error& error) {
    throw Error(fmt::format("the model in {} cannot be read: {}", folder.string(), error.what_without_backtrace()));
  }
  moment.predictor = read_bytes(folder / "predictor.pt");
  if (std::filesystem::exists(folder / "sampler.pt")) moment.sampler = read_bytes(folder / "sampler.pt");
  return moment;
}

}  // namespace nbs::training
