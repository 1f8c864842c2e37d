// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/stitched_map.h"

namespace nbs::data {

StitchedMap::StitchedMap(const ViewPlan& plan, std::int64_t planes)
    : plan_(plan), planes_(static_cast<std::size_t>(planes)) {}

void StitchedMap::add(const float* map) {
  const auto view = plan_.view(next_);
  const auto down = plan_.weights_down(next_ / plan_.columns());
  const auto across = plan_.weights_across(next_ % plan_.columns());
  ++next_;
  const auto size = plan_.view_size();
  const auto width = plan_.size().width;
  for (auto& plane : planes_) {
    const auto needed = static_cast<std::size_t>((view.y + view.height - first_) * width);
    if (plane.size() < needed) plane.resize(needed, 0.0F);
    for (std::int64_t y = 0; y < view.height; ++y) {
      const float weight = down[static_cast<std::size_t>(y)];
      if (weight == 0) continue;
      const float* const from = map + y * size;
      float* const to = plane.data() + (view.y + y - first_) * width + view.x;
      for (std::int64_t x = 0; x < view.width; ++x)
        to[x] += weight * across[static_cast<std::size_t>(x)] * from[x];
    }
    map += size * size;
  }
}

std::int64_t StitchedMap::done() const {
  const auto row = next_ / plan_.columns();  // the first that is not complete
  return row == plan_.rows() ? plan_.size().height : plan_.first_row(row);
}

MapRows StitchedMap::take() {
  MapRows rows;
  rows.begin = first_;
  rows.end = done();
  const auto taken = static_cast<std::ptrdiff_t>((rows.end - rows.begin) * plan_.size().width);
  for (auto& plane : planes_) {
    std::vector<float> rest(plane.begin() + taken, plane.end());
    plane.resize(static_cast<std::size_t>(taken));
    rows.planes.push_back(std::move(plane));
    plane = std::move(rest);
  }
  first_ = rows.end;
  return rows;
}

}  // namespace nbs::data
