// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/moment.h"

#include <sstream>

#include "nbs/torch.h"

namespace nbs::training {

double Selection::smooth(double loss) {
  if (options_.smoothing == config::Smoothing::none) return loss;
  const double past = options_.smoothing_factor;
  average_ = past * average_ + (1 - past) * loss;
  weight_ = past * weight_ + (1 - past);
  return average_ / weight_;
}

Selection::Verdict Selection::judge(double smoothed) {
  Verdict verdict;
  verdict.lowest = !lowest_ || smoothed < *lowest_;
  verdict.keep = verdict.lowest || options_.selection == config::Selection::last;
  if (verdict.lowest) lowest_ = smoothed;
  return verdict;
}

std::string save_to_bytes(const Component& component) {
  torch::serialize::OutputArchive archive;
  component.save(archive);
  std::ostringstream bytes;
  archive.save_to(bytes);
  return bytes.str();
}

void load_from_bytes(Component& component, const std::string& bytes) {
  torch::serialize::InputArchive archive;
  std::istringstream stream(bytes);
  archive.load_from(stream);
  component.load(archive);
}

}  // namespace nbs::training
