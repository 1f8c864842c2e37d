// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/members.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/record/diagnostics.h"
#include "nbs/tensor.h"
#include "nbs/training/cross_fit.h"
#include "nbs/training/labeled_views.h"
#include "nbs/training/seeds.h"

#include "seconds_io.h"

namespace nbs::training {

namespace {

bool shows_anomaly(const TrainingImages& images) {
  const LabeledViews labeled(images);
  for (std::int64_t view = 0; view < images.labeled; ++view) {
    if (labeled.shows_anomaly(view)) return true;
  }
  return false;
}

// From the least to the most that there is to tell.
int trouble(StopReason reason) {
  switch (reason) {
    case StopReason::finished:
      return 0;
    case StopReason::patience:
      return 1;
    case StopReason::diverged:
      return 2;
    case StopReason::interrupted:
      break;
  }
  return 3;
}

void add_seconds(record::Seconds& sum, const record::Seconds& more) {
  for (const auto& stage : record::stages()) {
    const auto& value = more.*stage.seconds;
    if (value) sum.*stage.seconds = (sum.*stage.seconds).value_or(0) + *value;
  }
}

std::string text_of(const std::optional<record::SampledPlaces>& sampled) {
  record::Diagnostics diagnostics;
  diagnostics.sampled = sampled;
  return record::to_json(diagnostics).dump();
}

std::optional<record::SampledPlaces> sampled_of(const std::string& text) {
  return record::diagnostics_from_json(nlohmann::ordered_json::parse(text)).sampled;
}

}  // namespace

std::vector<std::vector<std::int64_t>> left_out_by_members(const TrainingImages& images, std::int64_t folds,
                                                           std::int64_t members) {
  std::vector<std::vector<std::int64_t>> left_out(static_cast<std::size_t>(members));
  if (members == 1 || folds == 0) return left_out;
  const auto all = fold_images(WholeImages(images).labeled(), folds);
  const auto has_all_anomalies = [&](const auto& fold) { return !shows_anomaly(without_masks_of(fold, images)); };
  if (std::any_of(all.begin(), all.end(), has_all_anomalies)) return left_out;
  for (std::size_t m = 0; m < left_out.size(); ++m)
    left_out[m] = all[m % all.size()];
  return left_out;
}

Members::Members(const TrainingImages& images, std::vector<std::vector<std::int64_t>> left_out, MakeComponents make,
                 Settings settings, std::uint64_t seed)
    : images_(images),
      left_out_(std::move(left_out)),
      make_(std::move(make)),
      settings_(std::move(settings)),
      seed_(seed) {
  begin(0);
}

void Members::begin(std::int64_t member) {
  trainer_.reset();  // refers to the images
  member_ = member;
  auto components = make_(member);
  auto& left_out = left_out_[static_cast<std::size_t>(member)];
  if (!components.predictor->is_trainable()) left_out.clear();  // nobody is taught anything
  taught_ = without_masks_of(left_out, images_);
  const auto seed = component_seed(seed_, member_role(member, "training"));
  trainer_ = std::make_unique<Trainer>(taught_, std::move(components), settings_, seed);
}

// A member that leaves out nothing is taught the run's own masks, which whoever holds them looks after.
void Members::require_unchanged() const {
  const auto& left_out = left_out_[static_cast<std::size_t>(member_)];
  if (left_out.empty() || torch::equal(taught_.masks, without_masks_of(left_out, images_).masks)) return;
  throw images_changed("training");
}

// Adds what a member came to.
void Members::add(TrainingResult result, TrainedRun& run) const {
  if (!result.explanation.empty()) {
    if (!run.explanation.empty()) run.explanation += ". ";
    run.explanation += count() == 1 ? result.explanation
                                    : fmt::format("member {}, which began after {} iterations of the others: {}",
                                                  member_, run.iterations, result.explanation);
  }
  run.iterations += result.iterations;
  add_seconds(run.seconds, result.seconds);
  if (trouble(result.stop_reason) > trouble(run.stop_reason)) run.stop_reason = result.stop_reason;
  if (member_ == 0) run.sampled = std::move(result.sampled);
  if (!result.best || (result.stop_reason == StopReason::interrupted && !run.models.empty())) return;
  auto& model = run.models.emplace_back(std::move(*result.best));
  model.left_out = left_out_[static_cast<std::size_t>(member_)];
  if (count() > 1) model.member = member_;
}

TrainedRun Members::run(const std::function<void(const IterationReport&)>& report,
                        const std::function<bool()>& interrupted) {
  for (;;) {
    const auto before = done_.iterations;
    auto result = trainer_->run(
        [&](IterationReport line) {
          line.iteration += before;
          report(line);
        },
        interrupted);
    require_unchanged();
    const bool ends = result.stop_reason == StopReason::interrupted || member_ + 1 == count();
    auto so_far = done_;
    add(std::move(result), so_far);
    if (ends) return so_far;
    done_ = std::move(so_far);
    begin(member_ + 1);
  }
}

void Members::save(State& state) const {
  StateWriter writer(state);
  writer.integer("member", member_);
  writer.integer("done.models", static_cast<std::int64_t>(done_.models.size()));
  for (std::size_t m = 0; m < done_.models.size(); ++m)
    write_model(writer, fmt::format("done.model{}", m), done_.models[m]);
  writer.integer("done.iterations", done_.iterations);
  writer.integer("done.stop_reason", static_cast<std::int64_t>(done_.stop_reason));
  writer.bytes("done.explanation", done_.explanation);
  write_seconds(writer, "done.seconds", done_.seconds);
  writer.bytes("done.sampled", text_of(done_.sampled));
  State training;
  trainer_->save(training);
  writer.part("training", training);
}

void Members::load(const State& state) {
  const StateReader reader(state);
  const auto member = reader.integer("member", 0, count() - 1);
  if (member != member_) begin(member);
  done_ = {};
  const auto models = reader.integer("done.models", 0, member);
  for (std::int64_t m = 0; m < models; ++m)
    static_cast<Model&>(done_.models.emplace_back()) = read_model(reader, fmt::format("done.model{}", m));
  done_.iterations = reader.integer("done.iterations", 0, settings_.train.run_iterations());
  done_.stop_reason = static_cast<StopReason>(reader.integer("done.stop_reason", 0, 3));
  done_.explanation = reader.bytes("done.explanation");
  done_.seconds = read_seconds(reader, "done.seconds");
  done_.sampled = sampled_of(reader.bytes("done.sampled"));
  trainer_->load(reader.part("training"));
  state.require_all_read();
}

}  // namespace nbs::training
