// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/prediction_loss.h"

#include "nbs/error.h"
#include "nbs/torch.h"

namespace nbs::training {

torch::Tensor prediction_loss(const torch::Tensor& logits, const torch::Tensor& masks, double alpha) {
  // -log q = softplus(-logit) and -log(1 - q) = softplus(logit), which never overflow. The mean over each image first,
  // then over the batch, is the mean over all pixels, as the images of a batch have the same size.
  const auto positive = masks * torch::softplus(-logits);
  const auto negative = (1 - masks) * torch::softplus(logits);
  return (positive + alpha * negative).flatten(1).mean(1).mean();
}

double class_balance(const config::TrainOptions& options, const torch::Tensor& masks) {
  if (options.balance == config::ClassBalance::fixed) return options.alpha;
  const double anomalous = masks.sum(torch::kFloat64).item<double>();
  const double normal = static_cast<double>(masks.numel()) - anomalous;
  if (anomalous == 0 || normal == 0) {
    throw Error(
        "train.balance = \"balanced\" needs both anomalous and normal pixels in the labeled images, but all of them "
        "are the same; label an image with an anomaly or set train.balance = \"fixed\"");
  }
  return anomalous / normal;
}

}  // namespace nbs::training
