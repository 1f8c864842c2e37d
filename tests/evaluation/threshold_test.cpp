// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/threshold.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;
using evaluation::ThresholdChoice;
using test::pooled_at;

namespace {

// Maps of many kinds: few and many ties, few and many anomalous pixels.
std::vector<test::Images> many_maps() {
  std::vector<test::Images> maps;
  for (unsigned seed = 0; seed < 24; ++seed)
    maps.push_back(test::random_images(seed, 3, 7, seed % 3 == 0 ? 4 : seed % 3 == 1 ? 20 : 5000, 0.05 + 0.02 * seed));
  return maps;
}

}  // namespace

TEST_CASE("the threshold by F1 has the best F1 of all") {
  for (const auto& images : many_maps()) {
    const auto choice = evaluation::threshold_by_f1(images);
    CHECK(choice.unmet.empty());
    CHECK(test::pooled_f1(images, choice.threshold) == Approx(test::thresholds_best_f1(images)));
  }
}

TEST_CASE("the threshold by recall keeps it, with the best precision that can be had so") {
  for (const auto& images : many_maps()) {
    for (const double least : {0.0, 0.3, 0.8, 1.0}) {
      CAPTURE(least);
      double best = -1;
      for (const double threshold : test::thresholds(images)) {
        const auto at = pooled_at(images, threshold);
        if (at.recall >= least) best = std::max(best, at.precision);
      }
      const auto choice = evaluation::threshold_by_recall(images, least);
      CHECK(choice.unmet.empty());
      const auto at = pooled_at(images, choice.threshold);
      CHECK(at.recall >= least);
      CHECK(at.precision == Approx(best));
    }
  }
}

TEST_CASE("the threshold by precision keeps it, with the best recall that can be had so, or says that it cannot") {
  int unmet = 0;
  for (const auto& images : many_maps()) {
    for (const double least : {0.0, 0.2, 0.5, 1.0}) {
      CAPTURE(least);
      double best = -1;
      double most_precise = 0;
      for (const double threshold : test::thresholds(images)) {
        const auto at = pooled_at(images, threshold);
        most_precise = std::max(most_precise, at.precision);
        if (at.precision >= least) best = std::max(best, at.recall);
      }
      const auto choice = evaluation::threshold_by_precision(images, least);
      const auto at = pooled_at(images, choice.threshold);
      CHECK(choice.unmet.empty() == (best >= 0));
      if (best >= 0) {
        CHECK(at.precision >= least);
        CHECK(at.recall == Approx(best));
      } else {
        ++unmet;
        CHECK(at.precision == Approx(most_precise));
      }
    }
  }
  CHECK(unmet > 0);
}

TEST_CASE("the threshold by false area is the lowest that allows no more of it") {
  for (const auto& images : many_maps()) {
    for (const double area : {0.0, 1.0, 4.5, 60.0}) {
      CAPTURE(area);
      const auto choice = evaluation::threshold_by_false_area(images, area);
      CHECK(pooled_at(images, choice.threshold).false_positives <= 3 * area);
      // Every lower probability that occurs brings too much.
      for (const double threshold : test::thresholds(images)) {
        if (threshold < choice.threshold) CHECK(pooled_at(images, threshold).false_positives > 3 * area);
      }
    }
  }
}

TEST_CASE("a rule that cannot be kept says so in a sentence") {
  test::Images sure(1);
  sure[0].size = 2;
  sure[0].probability = {1, 1, 1, 0.5F};
  sure[0].mask = {1, 0, 0, 1};
  const auto precise = evaluation::threshold_by_precision(sure, 0.9);
  CHECK(precise.unmet ==
        "a precision of 0.9 cannot be had on the labeled images; the threshold is that of the best, 0.500");
  CHECK(pooled_at(sure, precise.threshold).precision == 0.5);
  const auto area = evaluation::threshold_by_false_area(sure, 1);
  CHECK(area.unmet ==
        "even the surest pixels of the labeled images hold more than 1 normal ones an image, so nothing is predicted "
        "anomalous");
  CHECK(area.threshold > 1);
}

TEST_CASE("without an anomalous pixel, or without an image, every rule gives 0.5 and says why") {
  const auto clean = test::random_images(1, 2, 8, 9, 0.0);
  for (const auto& images : {clean, test::Images{}}) {
    for (const auto& choice : std::vector<ThresholdChoice>{
             evaluation::threshold_by_f1(images), evaluation::threshold_by_recall(images, 0.5),
             evaluation::threshold_by_precision(images, 0.5), evaluation::threshold_by_false_area(images, 5)}) {
      CHECK(choice.threshold == 0.5);
      CHECK(choice.unmet == "no labeled image that a threshold can be chosen on shows an anomaly, so it is 0.5");
    }
  }
}
