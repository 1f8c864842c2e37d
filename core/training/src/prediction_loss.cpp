// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/prediction_loss.h"

#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs::training {

torch::Tensor prediction_loss(const torch::Tensor& logits, const torch::Tensor& masks, double alpha,
                              const torch::Tensor& counted) {
  // -log q = softplus(-logit) and -log(1 - q) = softplus(logit), which never overflow. The mean over each image first,
  // then over the batch, is the mean over all pixels, as the images of a batch have the same size.
  const auto positive = masks * torch::softplus(-logits);
  const auto negative = (1 - masks) * torch::softplus(logits);
  const auto loss = (positive + alpha * negative).flatten(1);
  if (!counted.defined()) return loss.mean(1).mean();
  if (counted.sizes() != logits.sizes()) {
    throw Error(
        "the predictor asked for the loss of a part of its batch, but some of these images are padded (data.resize), "
        "and only for the whole batch it is known where; let train_step() call the loss once, with all logits");
  }
  const auto pixels = counted.to(loss.device()).flatten(1);
  return ((loss * pixels).sum(1) / pixels.sum(1).clamp_min(1)).mean();
}

double class_balance(const config::TrainOptions& options, double anomalous, double normal) {
  if (options.balance == config::ClassBalance::fixed) return options.alpha;
  if (anomalous == 0 || normal == 0) {
    throw Error(
        "train.balance = \"balanced\" needs both anomalous and normal pixels in the labeled images, but all of them "
        "are the same; label an image with an anomaly or set train.balance = \"fixed\"");
  }
  return anomalous / normal;
}

}  // namespace nbs::training
