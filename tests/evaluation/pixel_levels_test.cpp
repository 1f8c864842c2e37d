// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/pixel_levels.h"

#include <map>

#include <doctest/doctest.h>

#include "nbs/error.h"
#include "nbs/evaluation/precision_recall.h"
#include "nbs/evaluation/scores.h"
#include "nbs/evaluation/threshold.h"

#include "brute_force.h"
#include "scratch.h"

using namespace nbs;
using doctest::Approx;
using evaluation::PixelLevel;
using evaluation::PixelLevels;

namespace {

constexpr std::size_t kNothing = 0;  // bytes in memory: every image goes to the file

struct Level {
  std::int64_t anomalous = 0;
  std::int64_t normal = 0;
  double shares = 0;
};

std::map<float, Level> counted(const test::Images& images) {
  std::map<float, Level> levels;
  for (const auto& image : images) {
    for (std::size_t i = 0; i < image.probability.size(); ++i)
      (image.mask[i] != 0 ? levels[image.probability[i]].anomalous : levels[image.probability[i]].normal) += 1;
    for (const auto& region : test::regions(image.mask, {image.height, image.width})) {
      for (const auto pixel : region)
        levels[image.probability[pixel]].shares += 1.0 / static_cast<double>(region.size());
    }
  }
  return levels;
}

}  // namespace

TEST_CASE("levels are all probabilities from the highest, with their pixels, in memory and in a file") {
  const test::Scratch scratch;
  for (const int levels : {2, 40, 100000}) {
    auto images = test::random_images(7, 5, {30, 41}, levels, 0.2);
    images[0].probability[3] = 0;
    images[1].probability[5] = 1;
    images[2].probability[7] = -0.0F;
    images[3].probability[9] = 1e-40F;
    const auto expected = counted(images);
    for (const auto kept : {kNothing, std::size_t{9000}, std::size_t{1} << 30U}) {
      CAPTURE(levels);
      CAPTURE(kept);
      PixelLevels found(scratch.path(), kept);
      for (const auto& image : images)
        found.add(image);
      for (int walk = 0; walk < 2; ++walk) {
        auto next = expected.rbegin();
        found.walk([&](const PixelLevel& level) {
          REQUIRE(next != expected.rend());
          CHECK(level.probability == next->first);
          CHECK(level.anomalous == next->second.anomalous);
          CHECK(level.normal == next->second.normal);
          double sum = 0;
          for (const double share : level.shares)
            sum += share;
          CHECK(sum == Approx(next->second.shares));
          ++next;
          return true;
        });
        CHECK(next == expected.rend());
      }
      CHECK(std::filesystem::is_empty(scratch.path()));  // the file has no name
    }
  }
}

TEST_CASE("a walk ends where it is told to") {
  const test::Scratch scratch;
  for (const auto kept : {kNothing, std::size_t{1} << 30U}) {
    PixelLevels levels(scratch.path(), kept);
    levels.add(test::random_images(1, 1, {9, 9}, 20, 0.2)[0]);
    int visited = 0;
    levels.walk([&](const PixelLevel&) { return ++visited < 3; });
    CHECK(visited == 3);
  }
}

TEST_CASE("scores, curve and threshold are the same whether pixels are in memory or in a file") {
  const test::Scratch scratch;
  for (unsigned seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    auto images = test::random_images(seed, 4, {25, 31}, seed % 2 == 0 ? 50 : 90000, 0.1);
    images[2].mask.assign(images[2].mask.size(), 0);
    const auto held = evaluation::score(images, 0.5, {});
    evaluation::Scorer scorer(0.5, {}, scratch.path(), kNothing);
    for (const auto& image : images)
      scorer.add(image);
    const auto spilled = scorer.scores();
    CHECK(*spilled.f1 == *held.f1);
    CHECK(*spilled.f1_tolerance_2 == *held.f1_tolerance_2);
    CHECK(*spilled.mean_image_f1 == *held.mean_image_f1);
    CHECK(*spilled.auroc == *held.auroc);
    CHECK(*spilled.average_precision == *held.average_precision);
    CHECK(*spilled.oracle.f1 == *held.oracle.f1);
    CHECK(*spilled.oracle.threshold == *held.oracle.threshold);
    CHECK(*spilled.image_auroc == *held.image_auroc);
    CHECK(*spilled.aupro == Approx(*held.aupro).epsilon(1e-12));
    const auto curve = evaluation::precision_recall(images, held);
    const auto from_file = evaluation::precision_recall(scorer.levels(), held);
    REQUIRE(curve.has_value());
    REQUIRE(from_file.has_value());
    REQUIRE(from_file->points.size() == curve->points.size());
    for (std::size_t i = 0; i < curve->points.size(); ++i) {
      CHECK(from_file->points[i].threshold == curve->points[i].threshold);
      CHECK(from_file->points[i].precision == curve->points[i].precision);
    }
    PixelLevels kept(scratch.path());
    PixelLevels in_file(scratch.path(), kNothing);
    for (auto image : images) {
      image.mask.clear();
      kept.add(image);
      in_file.add(image);
    }
    for (const double share : {0.0, 0.01, 0.3, 1.0})
      CHECK(evaluation::threshold_by_share(in_file, share) == evaluation::threshold_by_share(kept, share));
  }
}

TEST_CASE("a folder in which no file can be made is named") {
  PixelLevels levels("/nowhere at all", kNothing);
  CHECK_THROWS_WITH_AS(levels.add(test::random_images(1, 1, {4, 4}, 5, 0.2)[0]), doctest::Contains("/nowhere at all"),
                       nbs::Error);
}
