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

namespace {

constexpr const char* kTrainAnew = "leave out --model, so that a model is trained";

void require_same_training(const std::filesystem::path& resolved, const record::RunDirectory& run) {
  const auto difference = config::training_difference(read_file(resolved), read_file(run.resolved()));
  if (!difference) return;
  const auto said = [](const std::string& value) { return value.empty() ? std::string("not set") : value; };
  throw Error(fmt::format(
      "{} is {}, but {} in the run {}, whose model was trained with that; only [evaluation] without folds and "
      "fold_steps, [[postproc]], [experiment], train.threads and the place of the images may differ; {}",
      difference->option, said(difference->here), said(difference->there), run.folder().string(), kTrainAnew));
}

}  // namespace

GivenModel::GivenModel(std::filesystem::path run_folder, const config::Pipeline& pipeline,
                       const std::filesystem::path& resolved, const std::function<void(const std::string&)>& log)
    : run_(std::move(run_folder)), result_(read_ended_run(run_.folder())) {
  if (!result_.finished()) {
    throw Error(fmt::format("the run {} did not finish ({}), so its model is not that of the whole training; {}",
                            run_.folder().string(), record::state_name(record::state_of(result_)), kTrainAnew));
  }
  require_same_training(resolved, run_);
  auto trained = pipeline;
  trained.postproc.clear();
  require_same_plugins(run_.folder(), trained, false, log);
}

void GivenModel::require_split_of(const record::RunDirectory& out) const {
  if (read_file(out.split()) == read_file(run_.split())) return;
  throw Error(
      fmt::format("{} names other images or roles than {}: images have come or gone since the model was trained; {}",
                  out.split().string(), run_.split().string(), kTrainAnew));
}

training::TrainingResult GivenModel::take_over(const record::RunDirectory& out) const {
  training::TrainingResult taken;
  taken.stop_reason = result_.stop_reason;
  taken.iterations = result_.iterations;
  auto& best = taken.best.emplace();
  static_cast<training::Model&>(best) = training::read_model(run_.model(), *result_.model);
  const auto kept = result_.checkpoint.value_or(record::KeptCheckpoint{});
  best.iteration = kept.iteration.value_or(-1);
  best.loss = kept.l_pred.value_or(std::numeric_limits<double>::quiet_NaN());
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
