// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "nbs/context.h"
#include "nbs/postprocessor.h"

#include "grid.h"
#include "mean_field.h"
#include "options.h"

namespace nbs::crf {

/// The paper's last stage: probability maps become those of a fully connected CRF over the image (paper, 3.3).
class DenseCrf : public Postprocessor {
 public:
  using Options = crf::Options;

  DenseCrf(const Options& options, Context& context);

  /// As Postprocessor says. Throws nbs::Error for shapes that do not fit, a probability that is not in [0, 1] or not a
  /// number, and what the modes refuse.
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) override;

 private:
  struct Worker {
    Workspace lattice;
    GridWorkspace grid;
    std::vector<float> log_odds;
  };
  void refine(const float* probability, const Image& image, float* refined, Worker& worker, bool again) const;

  Options options_;
  Parameters parameters_;
  std::int64_t threads_;
  std::unique_ptr<SmoothnessKernel> smoothness_;  // of the last size seen
  std::vector<Worker> workers_;                   // one a thread, kept for the next call
};

}  // namespace nbs::crf
