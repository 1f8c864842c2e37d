// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "nbs/data/view_images.h"
#include "nbs/data/views.h"
#include "nbs/record/run_directory.h"
#include "nbs/training/ensemble.h"

#include "session.h"

namespace nbs::worker {

/// An image at the size at which the model's pipeline looks at it (data::ViewPlan): S x S for data.resize = "square".
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

  /// Whether images are looked at in the resolution of their files, so that the masks of large ones are large.
  bool tiles() const { return data_.resize == data::Resize::tiles; }
  /// The same as mask(), but `use` is given the probabilities a band of rows at a time, from the top: CV_32F, and the
  /// number of its first row. Of a large image there is never a whole floating map.
  void mask_by_rows(const cv::Mat& stored, const std::function<void(int begin, const cv::Mat& probability)>& use);

 private:
  void mask_views(const data::ViewReader& reader, const data::ViewPlan& plan,
                  const std::function<void(int begin, const cv::Mat& probability)>& use);

  const data::DataOptions& data_;
  training::Ensemble ensemble_;
  std::vector<std::shared_ptr<Postprocessor>> chain_;
};

}  // namespace nbs::worker
