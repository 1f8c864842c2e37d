// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nbs/evaluation/scored_image.h"
#include "nbs/training/training_images.h"

namespace nbs::training {

/// The images of the data set behind the views of TrainingImages, which must outlive it: labeled, then unlabeled, then
/// auxiliary. An image that is one view without padding is that view.
class WholeImages {
 public:
  explicit WholeImages(const TrainingImages& images);

  std::int64_t count() const;
  std::int64_t labeled() const { return labeled_; }
  std::int64_t unlabeled() const { return unlabeled_; }
  std::int64_t held_out() const { return held_out_; }  ///< the last of them, not trained on
  data::PixelSize size(std::int64_t image) const { return plan(image).size(); }
  std::int64_t first_view(std::int64_t image) const;
  /// The views of some images, ascending if the images are.
  std::vector<std::int64_t> views_of(const std::vector<std::int64_t>& images) const;
  /// Which part of the image, and of the view, a view shows; what lies outside is padding.
  data::View part(std::int64_t view) const;
  /// The part of planes [..., S, S] of a view that is no padding.
  torch::Tensor without_padding(const torch::Tensor& planes, std::int64_t view) const;

  /// The colors [3, H, W].
  torch::Tensor colors(std::int64_t image) const;
  /// The mask [H, W] of a labeled image.
  torch::Tensor mask(std::int64_t image) const;
  /// A labeled image with its mask and these probabilities [H, W]; it has no name.
  evaluation::ScoredImage scored(std::int64_t image, const torch::Tensor& probability) const;
  /// What `map` gives for each view [3, S, S], [C, S, S] in [0, 1], put together: [C, H, W].
  torch::Tensor stitched(std::int64_t image, const std::function<torch::Tensor(const torch::Tensor& view)>& map) const;

 private:
  const data::ViewPlan& plan(std::int64_t image) const;
  torch::Tensor assembled(std::int64_t image, std::int64_t planes,
                          const std::function<torch::Tensor(std::int64_t view)>& of_view) const;

  const TrainingImages& images_;
  data::ViewPlan one_view_;          // that of all images where there are no plans
  std::vector<std::int64_t> first_;  // view of each image, and behind the last; empty without plans
  std::int64_t labeled_ = 0;
  std::int64_t unlabeled_ = 0;
  std::int64_t held_out_ = 0;
};

}  // namespace nbs::training
