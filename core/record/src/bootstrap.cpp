// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "nbs/base/random.h"

namespace nbs::record {

namespace {

constexpr int kResamples = 2000;
constexpr std::uint64_t kSeed = 1;

bool counted(const std::vector<ImageScore>& images) {
  return std::all_of(images.begin(), images.end(), [](const ImageScore& image) {
    return image.true_positives && image.false_positives && image.false_negatives;
  });
}

// F1 of the pixels of the drawn images together; nothing if none of them shows an anomaly.
std::optional<double> f1_of(const std::vector<ImageScore>& images, const std::vector<std::size_t>& drawn) {
  std::int64_t found = 0;
  std::int64_t wrong = 0;
  for (const auto i : drawn) {
    found += *images[i].true_positives;
    wrong += *images[i].false_positives + *images[i].false_negatives;
  }
  const bool any = std::any_of(drawn.begin(), drawn.end(), [&](std::size_t i) {
    return *images[i].true_positives + *images[i].false_negatives > 0;
  });
  if (!any) return std::nullopt;
  return 2 * static_cast<double>(found) / static_cast<double>(2 * found + wrong);
}

// The interval of what `value` says of the drawn images.
template <typename ValueOf>
std::optional<Interval> interval(std::size_t count, const ValueOf& value_of) {
  Random random(kSeed);
  std::vector<double> values;
  std::vector<std::size_t> drawn(count);
  for (int r = 0; r < kResamples; ++r) {
    for (auto& image : drawn)
      image = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count)));
    if (const std::optional<double> value = value_of(drawn)) values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return Interval{at(0.05), at(0.95)};
}

}  // namespace

std::optional<Interval> f1_interval(const std::vector<ImageScore>& images) {
  if (images.empty() || !counted(images)) return std::nullopt;
  return interval(images.size(), [&](const auto& drawn) { return f1_of(images, drawn); });
}

std::optional<Interval> f1_difference(const std::vector<ImageScore>& a, const std::vector<ImageScore>& b) {
  const bool same = std::equal(a.begin(), a.end(), b.begin(), b.end(),
                               [](const ImageScore& x, const ImageScore& y) { return x.id == y.id; });
  if (a.empty() || !same || !counted(a) || !counted(b)) return std::nullopt;
  return interval(a.size(), [&](const auto& drawn) -> std::optional<double> {
    const auto first = f1_of(a, drawn);
    const auto second = f1_of(b, drawn);
    if (!first || !second) return std::nullopt;
    return *first - *second;
  });
}

}  // namespace nbs::record
