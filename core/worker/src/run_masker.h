// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "nbs/record/run_directory.h"
#include "nbs/training/inference.h"

#include "session.h"

namespace nbs::worker {

/// An image at the size of the model, S x S.
struct MaskedImage {
  cv::Mat image;        ///< what the model saw: CV_32FC3, RGB in [0, 1]
  cv::Mat probability;  ///< CV_32F
};

/// What a finished run makes of an image: its model, with its postprocessors and their tuned options. `nbs predict` and
/// libnbs both mask with it. For one thread at a time.
class RunMasker {
 public:
  /// Reads the model of `run`, whose result is `result` (read_ended_run()), and makes its components. `session` was
  /// made of the run's resolved pipeline, and must outlive this. Throws nbs::Error.
  RunMasker(Session& session, const record::RunDirectory& run, const record::RunResult& result);

  /// Masks an image of any size, as data::read_stored_image() gives it. Throws nbs::Error.
  MaskedImage mask(const cv::Mat& stored);

 private:
  std::int64_t size_;
  training::Inference inference_;
  std::vector<std::shared_ptr<Postprocessor>> chain_;
};

}  // namespace nbs::worker
