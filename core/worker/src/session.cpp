// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <torch/cuda.h>

#include "nbs/error.h"
#include "nbs/host/search_path.h"
#include "nbs/tensor.h"
#include "nbs/training/predictor_trainer.h"
#include "nbs/training/seeds.h"

namespace nbs::worker {

namespace {

bool multiplies_bf16(config::Device device) {
  if (device == config::Device::cuda) return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

Session::Session(const std::filesystem::path& resolved, std::int64_t threads, Log log, config::Purpose purpose,
                 const std::vector<std::string>& plugin_path)
    : Session(config::Document::from_file(resolved), threads, std::move(log), purpose, [&](const auto& document) {
        return host::Registry::open(host::plugin_search_path(plugin_path, config::plugin_path_of(document)));
      }) {}

Session::Session(const config::Document& document, std::int64_t threads, Log log, config::Purpose purpose,
                 const PluginFinder& find)
    : registry_(find(document)),
      pipeline_(config::resolve(document, registry_->catalog(), purpose)),
      log_(std::move(log)) {
  const auto& train = pipeline_.train.options;
  threads_ = threads > 0 ? threads : train.threads;
  if (threads_ == 0) threads_ = std::max(1U, std::thread::hardware_concurrency());
  if (train.precision == config::Precision::bf16 && purpose == config::Purpose::run && !multiplies_bf16(train.device)) {
    throw Error(document.location_of("train.precision").text() +
                ": train.precision is \"bf16\", but this processor multiplies no bfloat16 numbers (it has no AVX-512 "
                "BF16), so that would be slower than \"float32\"; set it to that");
  }
  if (train.device == config::Device::cuda && !torch::cuda::is_available())
    throw Error(document.location_of("train.device").text() +
                ": train.device is \"cuda\", but LibTorch finds no CUDA device here; set it to \"cpu\"");
}

training::Settings training_settings(const config::Pipeline& pipeline) {
  return {pipeline.profile.options, pipeline.reward.options,  pipeline.buffer.options,
          pipeline.train.options,   pipeline.augment.options, pipeline.evaluation.options.fold_steps};
}

Context& Session::context_for(const std::string& role, std::int64_t training_steps) {
  Context::Facts facts;
  facts.seed = training::component_seed(static_cast<std::uint64_t>(pipeline_.seed), role);
  facts.image_size = pipeline_.data.options.image_size;
  facts.patch_size = pipeline_.profile.options.patch_size;
  facts.profile_length = pipeline_.profile.options.length;
  facts.training_steps = training_steps;
  facts.threads = threads_;
  facts.device = pipeline_.train.options.device == config::Device::cuda ? torch::kCUDA : torch::kCPU;
  const bool bf16 = pipeline_.train.options.precision == config::Precision::bf16;
  facts.precision = bf16 ? torch::kBFloat16 : torch::kFloat32;
  contexts_.push_back(std::make_unique<Context>(facts, log_));
  return *contexts_.back();
}

template <typename Interface>
std::shared_ptr<Interface> Session::make(const config::ComponentSpec& spec, const std::string& role,
                                         training::Components& components, std::int64_t training_steps) {
  auto& context = context_for(role, training_steps);
  components.generators.emplace(role, context.generator());
  return registry_->make<Interface>(spec.plugin, spec.values, context, spec.place.text(), spec.library);
}

training::Components Session::make_components(std::int64_t folds, std::int64_t member) {
  training::Components components;
  const auto settings = training_settings(pipeline_);
  // Whether the predictor will ask for profiles is not known before it is made; a pipeline without an autoencoder has
  // none to give.
  const bool from_profiles = pipeline_.autoencoder.has_value();
  components.predictor = make<Predictor>(*pipeline_.predictor, training::member_role(member, "predictor"), components,
                                         training::planned_steps(settings, from_profiles));
  const auto fold_steps = training::planned_steps(settings, from_profiles, settings.fold_steps);
  for (std::int64_t k = 0; k < folds && components.predictor->is_trainable(); ++k) {
    const auto role = training::member_role(member, fmt::format("predictor.fold{}", k));
    components.folds.push_back(make<Predictor>(*pipeline_.predictor, role, components, fold_steps));
  }
  if (!components.predictor->needs_profile()) return components;
  if (pipeline_.sampler) {
    const auto role = training::member_role(member, "sampler");
    components.sampler = make<Sampler>(*pipeline_.sampler, role, components);
  }
  if (pipeline_.autoencoder) {
    const auto role = training::member_role(member, "autoencoder");
    components.autoencoder = make<Autoencoder>(*pipeline_.autoencoder, role, components);
  }
  return components;
}

void Session::add_students(training::Components& components, std::int64_t member) {
  const auto settings = training_settings(pipeline_);
  if (settings.train.student_iterations == 0) return;
  const auto steps = training::planned_student_steps(settings);
  const auto own = training::member_role(member, "student");
  components.students.push_back(make<Predictor>(*pipeline_.predictor, own, components, steps));
  const auto fold_steps = training::planned_student_steps(settings, settings.fold_steps);
  for (std::size_t k = 0; k < components.folds.size(); ++k) {
    const auto role = training::member_role(member, fmt::format("student.fold{}", k));
    components.students.push_back(make<Predictor>(*pipeline_.predictor, role, components, fold_steps));
  }
}

training::Ensemble Session::make_ensemble(std::vector<training::Model> models) {
  std::vector<training::Inference> masking;
  masking.reserve(models.size());
  for (auto& model : models) {
    const auto folds = static_cast<std::int64_t>(model.folds.size());
    masking.emplace_back(make_components(folds, model.member.value_or(0)), pipeline_.profile.options,
                         pipeline_.evaluation.options.dihedral, pipeline_.data.options.image_size, std::move(model));
  }
  return training::Ensemble(std::move(masking));
}

std::shared_ptr<Postprocessor> Session::make_postprocessor(const config::ComponentSpec& spec) {
  return registry_->make<Postprocessor>(spec.plugin, spec.values, context_for("postproc"), spec.place.text(),
                                        spec.library);
}

std::vector<std::shared_ptr<Postprocessor>> Session::make_postprocessors(const std::vector<OptionValues>& values) {
  std::vector<std::shared_ptr<Postprocessor>> chain;
  for (std::size_t i = 0; i < pipeline_.postproc.size(); ++i) {
    auto spec = pipeline_.postproc[i];
    if (i < values.size()) spec.values = values[i];
    chain.push_back(make_postprocessor(spec));
  }
  return chain;
}

}  // namespace nbs::worker
