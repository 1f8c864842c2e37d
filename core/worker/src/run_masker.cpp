// SPDX-License-Identifier: Apache-2.0
#include "run_masker.h"

#include <utility>

#include "nbs/data/image.h"
#include "nbs/torch.h"

#include "ended_run.h"
#include "images.h"

namespace nbs::worker {

namespace {

training::Inference inference_of(Session& session, const record::RunDirectory& run, const record::RunResult& result) {
  const auto& pipeline = session.pipeline();
  auto model = training::read_model(run.model(), *result.model);
  const auto folds = static_cast<std::int64_t>(model.folds.size());
  return {session.make_components(folds), pipeline.profile.options, pipeline.evaluation.options.dihedral,
          pipeline.data.options.image_size, std::move(model)};
}

std::vector<std::shared_ptr<Postprocessor>> chain_of(Session& session, const record::RunResult& result) {
  std::vector<OptionValues> tuned;
  if (result.tuned_postproc) tuned = tuned_values(*result.tuned_postproc, session.pipeline().postproc);
  return session.make_postprocessors(tuned);
}

}  // namespace

RunMasker::RunMasker(Session& session, const record::RunDirectory& run, const record::RunResult& result)
    : size_(session.pipeline().data.options.image_size),
      inference_(inference_of(session, run, result)),
      chain_(chain_of(session, result)) {}

MaskedImage RunMasker::mask(const cv::Mat& stored) {
  MaskedImage masked;
  masked.image = data::from_levels(data::to_levels(data::resize_stored(stored, size_)));  // as in training
  const auto tensor = as_tensor(masked.image);
  masked.probability = as_mat(postprocess(chain_, inference_.probability(tensor), tensor));
  return masked;
}

}  // namespace nbs::worker
