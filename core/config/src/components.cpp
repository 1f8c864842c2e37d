// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/config/pipeline.h"

namespace nbs::config {

std::vector<Diagnostic> check_components(const Document& document, const Pipeline& pipeline,
                                         const ComponentFacts& facts) {
  std::vector<Diagnostic> problems;
  const auto report = [&](const char* option, std::string message) {
    problems.push_back({document.location_of(option), std::move(message)});
  };
  for (const auto& refusal : facts.refusals) {
    SourceLocation place = document.location_of(refusal.section);
    if (refusal.section == "postproc" && refusal.index < pipeline.postproc.size())
      place = pipeline.postproc[refusal.index].place;
    problems.push_back({place, refusal.reason});
  }
  if (!facts.refusals.empty() || !pipeline.predictor) return problems;
  const auto& name = pipeline.predictor->plugin;
  const auto& train = pipeline.train.options;
  if (facts.needs_profile && (!pipeline.sampler || !pipeline.autoencoder)) {
    const char* const missing = pipeline.sampler ? "autoencoder" : "sampler";
    report("predictor", fmt::format("the predictor \"{}\" needs loss profiles as it is set, but the pipeline has no "
                                    "[{}] to make them; add that section",
                                    name, missing));
  }
  if (facts.learns && pipeline.data.options.labeled == 0) {
    report("data.labeled", fmt::format("the predictor \"{}\" learns from labeled images, but data.labeled is 0; label "
                                       "at least one image",
                                       name));
  }
  if (!facts.learns && train.predictor_iterations > 0) {
    report("train.predictor_iterations",
           fmt::format("train.predictor_iterations is {}, iterations in which only the predictor learns, but the "
                       "predictor \"{}\" learns nothing; set it to 0",
                       train.predictor_iterations, name));
  }
  if (train.student_iterations > 0 && (!facts.learns || facts.needs_profile)) {
    report("train.student_iterations",
           fmt::format("train.student_iterations is {}, iterations of students that learn from images alone, but the "
                       "predictor \"{}\" {}; set it to 0",
                       train.student_iterations, name, facts.learns ? "needs loss profiles" : "learns nothing"));
  }
  if (!facts.learns && train.patience > 0) {
    report("train.patience", fmt::format("train.patience is {}, which waits for l_pred to fall, but the predictor "
                                         "\"{}\" learns nothing and has none; set it to 0",
                                         train.patience, name));
  }
  return problems;
}

}  // namespace nbs::config
