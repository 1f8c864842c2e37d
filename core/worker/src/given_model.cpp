// SPDX-License-Identifier: Apache-2.0
#include "given_model.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/training/model.h"

#include "ended_run.h"

namespace nbs::worker {

GivenModel::GivenModel(std::filesystem::path run_folder)
    : run_(std::move(run_folder)), result_(read_ended_run(run_.folder())) {}

void GivenModel::require_split_of(const record::RunDirectory& out) const {
  if (read_file(out.split()) == read_file(run_.split())) return;
  throw Error(fmt::format(
      "{} names other images or roles than {}: images have come or gone since the model was trained; leave out "
      "--model to train a model",
      out.split().string(), run_.split().string()));
}

void GivenModel::require_images(const std::string& images) const {
  if (result_.images.empty() || result_.images == images) return;
  throw Error(
      fmt::format("the images or the masks of the labeled ones have changed since the model of {} was trained (SHA-256 "
                  "{}, now {}); "
                  "leave out --model to train a model",
                  run_.folder().string(), result_.images, images));
}

training::TrainedRun GivenModel::take_over(const record::RunDirectory& out) const {
  training::TrainedRun taken;
  taken.stop_reason = result_.stop_reason;
  taken.iterations = result_.iterations;
  const auto kept = result_.checkpoint.value_or(record::KeptCheckpoint{});
  for (auto& model : training::read_models(run_.model(), *result_.model)) {
    auto& checkpoint = taken.models.emplace_back();
    static_cast<training::Model&>(checkpoint) = std::move(model);
    checkpoint.iteration = kept.iteration.value_or(-1);
    checkpoint.loss = kept.l_pred.value_or(std::numeric_limits<double>::quiet_NaN());
  }
  taken.seconds = {};
  if (auto diagnostics = run_.read_diagnostics()) taken.sampled = std::move(diagnostics->sampled);
  write_file(out.metrics(), read_file(run_.metrics()));
  return taken;
}

std::string GivenModel::name() const {
  const auto folder = std::filesystem::absolute(run_.folder()).lexically_normal();
  return (folder.has_filename() ? folder : folder.parent_path()).filename().string();  // it may end with a slash
}

}  // namespace nbs::worker
