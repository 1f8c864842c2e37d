// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/whole_images.h"

#include <algorithm>
#include <optional>

#include "nbs/data/stitched_map.h"
#include "nbs/tensor.h"

namespace nbs::training {

namespace {

data::ViewPlan square_plan(std::int64_t size) {
  data::DataOptions options;
  options.image_size = size;
  return {{size, size}, options};
}

}  // namespace

WholeImages::WholeImages(const TrainingImages& images) : images_(images), one_view_(square_plan(images.size())) {
  if (!images.plans.empty()) first_.push_back(0);
  for (const auto& plan : images.plans)
    first_.push_back(first_.back() + plan.count());
  const auto images_before = [&](std::int64_t view) {
    return first_.empty() ? view : std::lower_bound(first_.begin(), first_.end(), view) - first_.begin();
  };
  labeled_ = images_before(images.labeled);
  unlabeled_ = images_before(images.labeled + images.unlabeled) - labeled_;
  held_out_ = count() - images_before(images.count() - images.held_out);
}

std::int64_t WholeImages::count() const {
  return first_.empty() ? images_.count() : static_cast<std::int64_t>(first_.size()) - 1;
}

std::int64_t WholeImages::first_view(std::int64_t image) const {
  return first_.empty() ? image : first_[static_cast<std::size_t>(image)];
}

const data::ViewPlan& WholeImages::plan(std::int64_t image) const {
  return images_.plans.empty() ? one_view_ : images_.plans[static_cast<std::size_t>(image)];
}

std::vector<std::int64_t> WholeImages::views_of(const std::vector<std::int64_t>& images) const {
  std::vector<std::int64_t> views;
  for (const auto image : images) {
    for (auto view = first_view(image); view < first_view(image + 1); ++view)
      views.push_back(view);
  }
  return views;
}

data::View WholeImages::part(std::int64_t view) const {
  if (first_.empty()) return one_view_.view(0);
  const auto image = std::upper_bound(first_.begin(), first_.end(), view) - first_.begin() - 1;
  return plan(image).view(view - first_view(image));
}

torch::Tensor WholeImages::without_padding(const torch::Tensor& planes, std::int64_t view) const {
  const auto shown = part(view);
  if (shown.height == planes.size(-2) && shown.width == planes.size(-1)) return planes;
  return planes.slice(-2, 0, shown.height).slice(-1, 0, shown.width);
}

// Where views overlap they show the same.
torch::Tensor WholeImages::assembled(std::int64_t image, std::int64_t planes,
                                     const std::function<torch::Tensor(std::int64_t view)>& of_view) const {
  auto whole = torch::empty({planes, size(image).height, size(image).width});
  for (const auto view : views_of({image})) {
    const auto shown = part(view);
    whole.slice(1, shown.y, shown.y + shown.height)
        .slice(2, shown.x, shown.x + shown.width)
        .copy_(without_padding(of_view(view), view));
  }
  return whole;
}

torch::Tensor WholeImages::colors(std::int64_t image) const {
  if (size(image) == one_view_.size()) return images_.image(first_view(image));
  return assembled(image, 3, [&](std::int64_t view) { return images_.image(view); });
}

torch::Tensor WholeImages::mask(std::int64_t image) const {
  if (size(image) == one_view_.size()) return images_.masks[first_view(image)];
  return assembled(image, 1, [&](std::int64_t view) { return images_.masks[view].unsqueeze(0); })[0];
}

evaluation::ScoredImage WholeImages::scored(std::int64_t image, const torch::Tensor& probability) const {
  evaluation::ScoredImage scored;
  scored.height = probability.size(0);
  scored.width = probability.size(1);
  const auto values = probability.contiguous();
  scored.probability.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  const auto truth = mask(image).gt(0.5).to(torch::kUInt8).contiguous();
  scored.mask.assign(truth.data_ptr<std::uint8_t>(), truth.data_ptr<std::uint8_t>() + truth.numel());
  return scored;
}

torch::Tensor WholeImages::stitched(std::int64_t image,
                                    const std::function<torch::Tensor(const torch::Tensor& view)>& map) const {
  if (size(image) == one_view_.size()) return map(images_.image(first_view(image)));
  std::optional<data::StitchedMap> whole;
  std::int64_t planes = 0;
  for (const auto view : views_of({image})) {
    const auto of_view = map(images_.image(view)).contiguous();
    planes = of_view.size(0);
    if (!whole) whole.emplace(plan(image), planes);
    whole->add(of_view.data_ptr<float>());
  }
  auto rows = whole->take();
  auto result = torch::empty({planes, size(image).height, size(image).width});
  for (std::int64_t c = 0; c < planes; ++c)
    std::copy(rows.planes[static_cast<std::size_t>(c)].begin(), rows.planes[static_cast<std::size_t>(c)].end(),
              result[c].data_ptr<float>());
  return result.clamp_(0, 1);  // weights sum to one but for rounding
}

}  // namespace nbs::training
