// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "nbs/evaluation/curve.h"

namespace nbs::evaluation {

// What is computed from the points of a curve as they come, highest threshold first, so that no curve need be kept.

/// Area under the receiver operating characteristic.
class RocArea {
 public:
  void add(const CurvePoint& point) {
    area_ += static_cast<double>(point.false_positives - before_.false_positives) *
             static_cast<double>(point.true_positives + before_.true_positives) / 2;
    before_ = point;
  }
  double value() const {
    const auto positives = static_cast<double>(before_.true_positives);
    const auto negatives = static_cast<double>(before_.false_positives);
    if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
    return area_ / positives / negatives;
  }

 private:
  double area_ = 0;
  CurvePoint before_;
};

/// Average precision.
class PrecisionSum {
 public:
  void add(const CurvePoint& point) {
    const double precision =
        static_cast<double>(point.true_positives) / static_cast<double>(point.true_positives + point.false_positives);
    sum_ += static_cast<double>(point.true_positives - before_) * precision;
    before_ = point.true_positives;
  }
  double value() const {
    if (before_ == 0) return std::numeric_limits<double>::quiet_NaN();
    return sum_ / static_cast<double>(before_);
  }

 private:
  double sum_ = 0;
  std::int64_t before_ = 0;
};

/// The best F1 of all points.
class BestPoint {
 public:
  /// `positives`: true ones of the last point.
  explicit BestPoint(std::int64_t positives) : positives_(positives) {}

  void add(const CurvePoint& point) {
    settle(point.threshold);
    const double value = f1(point.true_positives, point.false_positives, positives_ - point.true_positives);
    if (value <= best_.f1) return;
    best_ = {value, static_cast<double>(point.threshold)};
    open_ = true;
  }
  BestF1 value() {
    settle(0);
    return best_;
  }

 private:
  // The threshold lies midway to the next lower probability; between neighboring floats there always is a double.
  void settle(double below) {
    if (open_) best_.threshold = (best_.threshold + below) / 2;
    open_ = false;
  }

  std::int64_t positives_;
  BestF1 best_;
  bool open_ = false;
};

}  // namespace nbs::evaluation
