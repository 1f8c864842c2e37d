// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nbs/config/pipeline.h"
#include "nbs/host/registry.h"
#include "nbs/training/ensemble.h"
#include "nbs/training/trainer.h"

namespace nbs::worker {

/// A pipeline with its plugins loaded; makes its components.
class Session {
 public:
  using Log = std::function<void(const std::string&)>;

  /// Finds the plugins of a pipeline.
  using PluginFinder = std::function<host::Registry*(const config::Document&)>;

  /// Reads a resolved pipeline file and finds its plugins, also in the folders `plugin_path`, which come first.
  /// `threads` 0: as the pipeline says. Throws nbs::Error. A program of ours calls set_up_process() before components
  /// are made.
  Session(const std::filesystem::path& resolved, std::int64_t threads, Log log,
          config::Purpose purpose = config::Purpose::run, const std::vector<std::string>& plugin_path = {});
  /// The same with a file that was read, and plugins found in another way.
  Session(const config::Document& document, std::int64_t threads, Log log, config::Purpose purpose,
          const PluginFinder& find);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const config::Pipeline& pipeline() const { return pipeline_; }
  const host::Registry& registry() const { return *registry_; }
  std::int64_t threads() const { return threads_; }

  /// Makes sampler, autoencoder and predictor of a member (train.members), as far as the pipeline has them and the
  /// predictor needs them. With `folds` more predictors for cross-fitting, unless the predictor learns nothing.
  training::Components make_components(std::int64_t folds = 0, std::int64_t member = 0);
  /// Adds as many students, if the pipeline has any: for a run that trains, as masks need no other predictors than
  /// those of make_components().
  void add_students(training::Components& components, std::int64_t member = 0);
  /// Makes the components that mask with these models, and loads them. Throws nbs::Error if a model is another
  /// pipeline's.
  training::Ensemble make_ensemble(std::vector<training::Model> models);
  /// Makes one of the pipeline's postprocessors.
  std::shared_ptr<Postprocessor> make_postprocessor(const config::ComponentSpec& spec);
  /// Makes the chain of postprocessors, with the pipeline's options or those given for each.
  std::vector<std::shared_ptr<Postprocessor>> make_postprocessors(const std::vector<OptionValues>& values = {});

 private:
  template <typename Interface>
  std::shared_ptr<Interface> make(const config::ComponentSpec& spec, const std::string& role,
                                  training::Components& components, std::int64_t training_steps = 0);
  Context& context_for(const std::string& role, std::int64_t training_steps = 0);

  host::Registry* registry_;  // lives until the program ends, so it outlives everything that plugins made
  config::Pipeline pipeline_;
  std::int64_t threads_ = 1;
  Log log_;
  std::vector<std::unique_ptr<Context>> contexts_;
};

/// What of a pipeline training reads.
training::Settings training_settings(const config::Pipeline& pipeline);

}  // namespace nbs::worker
