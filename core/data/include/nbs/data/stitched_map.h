// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/data/views.h"

namespace nbs::data {

/// Some rows of a map of several planes: those from `begin` to before `end`.
struct MapRows {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::vector<std::vector<float>> planes;  ///< of [end - begin, W]
};

/// An image's map from the maps of its views, weighted as the plan says. Rows that are done can be taken before the
/// last view was added, so that a large image never has a whole map: what is kept is then about as high as a view.
class StitchedMap {
 public:
  /// The plan must outlive it.
  explicit StitchedMap(const ViewPlan& plan, std::int64_t planes = 1);

  /// Adds the map [planes, S, S] of the plan's next view; what lies on its padding is not looked at.
  void add(const float* map);
  /// Up to where rows are done.
  std::int64_t done() const;
  /// The rows that are done and were not taken yet.
  MapRows take();

 private:
  const ViewPlan& plan_;
  std::int64_t next_ = 0;   // view
  std::int64_t first_ = 0;  // row that was not taken
  std::vector<std::vector<float>> planes_;
};

}  // namespace nbs::data
