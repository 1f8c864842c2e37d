// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/training_images.h"

#include <algorithm>
#include <numeric>

#include "nbs/tensor.h"
#include "nbs/training/whole_images.h"

namespace nbs::training {

namespace {

template <typename T>
std::vector<T> reordered(const std::vector<T>& all, const std::vector<std::int64_t>& order) {
  std::vector<T> result;
  if (all.empty()) return result;
  result.reserve(order.size());
  for (const auto i : order)
    result.push_back(all[static_cast<std::size_t>(i)]);
  return result;
}

}  // namespace

Error images_changed(const std::string& when) {
  return Error("the images or masks of the data set have changed in memory during " + when +
               ": a plugin has written into what it is only given to read, so nothing that came of this run can be "
               "trusted; find the plugin, which writes through a pointer (data_ptr) of an image, and run again");
}

TrainingImages without_masks_of(const std::vector<std::int64_t>& left_out, const TrainingImages& images) {
  if (left_out.empty()) return images;
  const WholeImages whole(images);
  std::vector<std::int64_t> order(static_cast<std::size_t>(whole.count()));
  std::iota(order.begin(), order.end(), 0);
  const auto taught_end = std::stable_partition(order.begin(), order.begin() + whole.labeled(), [&](std::int64_t i) {
    return std::find(left_out.begin(), left_out.end(), i) == left_out.end();
  });
  const auto views = whole.views_of(order);
  const auto taught = whole.views_of({order.begin(), taught_end});
  TrainingImages others = images;
  others.images = images.images.reordered(views);
  others.masks = images.masks.index_select(0, torch::tensor(taught, torch::kInt64));
  others.labeled = static_cast<std::int64_t>(taught.size());
  others.unlabeled = images.labeled + images.unlabeled - others.labeled;
  others.ids = reordered(images.ids, views);
  others.plans = reordered(images.plans, order);
  return others;
}

}  // namespace nbs::training
