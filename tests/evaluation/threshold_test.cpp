// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/threshold.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;
using evaluation::ThresholdChoice;
using test::pooled_at;

namespace {

double logit(double probability) {
  const double inside = std::min(std::max(probability, 1e-7), 1 - 1e-7);
  return std::log(inside / (1 - inside));
}

// Maps of many kinds: few and many ties, few and many anomalous pixels.
std::vector<test::Images> many_maps() {
  std::vector<test::Images> maps;
  for (unsigned seed = 0; seed < 24; ++seed)
    maps.push_back(test::random_images(seed, 3, {7, 7},
                                       seed % 3 == 0   ? 4
                                       : seed % 3 == 1 ? 20
                                                       : 5000,
                                       0.05 + 0.02 * seed));
  return maps;
}

}  // namespace

TEST_CASE("the threshold by F1 is the weighted mean of thresholds, counted one by one") {
  for (const auto& images : many_maps()) {
    double lowest = 1;
    double highest = 0;
    for (const auto& image : images) {
      for (const double value : image.probability) {
        lowest = std::min(lowest, value);
        highest = std::max(highest, value);
      }
    }
    const double start = logit(lowest);
    const double end = logit(highest);
    std::vector<double> logits;
    std::vector<double> qualities;
    for (int i = 0; i <= 400; ++i) {
      const double at = start + (end - start) * i / 400;
      const double threshold = 1 / (1 + std::exp(-at - 1e-9));
      double mean = 0;
      double count = 0;
      for (const auto& image : images) {
        if (std::count(image.mask.begin(), image.mask.end(), 1) == 0) continue;
        // The lowest and the highest probability themselves are predicted at the ends, whatever rounding does.
        mean += test::pooled_f1({image}, i == 400 ? highest : i == 0 ? lowest : threshold);
        count += 1;
      }
      const double pooled = test::pooled_f1(images, i == 400 ? highest : i == 0 ? lowest : threshold);
      logits.push_back(at);
      qualities.push_back(std::sqrt(pooled * mean / count));
    }
    const double best = *std::max_element(qualities.begin(), qualities.end());
    double sum = 0;
    double weights = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      sum += logits[i] * std::pow(qualities[i] / best, 6);
      weights += std::pow(qualities[i] / best, 6);
    }
    const auto choice = evaluation::threshold_by_f1(images);
    CHECK(choice.unmet.empty());
    CHECK(logit(choice.threshold) == Approx(sum / weights).epsilon(0.02));
  }
}

TEST_CASE("between probabilities that keep anomalous and normal pixels apart, the threshold by F1 is in the middle") {
  test::Images images(2);
  for (auto& image : images) {
    image.height = image.width = 2;
    image.probability = {0.2F, 0.2F, 0.8F, 0.2F};
    image.mask = {0, 0, 1, 0};
  }
  const auto choice = evaluation::threshold_by_f1(images);
  CHECK(choice.threshold == Approx(0.5).epsilon(0.01));
  // Surer of the same: the middle between the two logits.
  for (auto& image : images)
    image.probability = {0.5F, 0.5F, 0.99F, 0.5F};
  CHECK(logit(evaluation::threshold_by_f1(images).threshold) == Approx(logit(0.99) / 2).epsilon(0.01));
}

TEST_CASE("the threshold by F1 heeds small anomalies as well as large ones") {
  // A large anomaly that is found up to 0.9, and two small ones that are found up to 0.4 only; normal pixels at 0.3.
  test::Images images(3);
  for (auto& image : images) {
    image.height = image.width = 10;
    image.probability.assign(100, 0.3F);
    image.mask.assign(100, 0);
  }
  std::fill_n(images[0].probability.begin(), 50, 0.9F);
  std::fill_n(images[0].mask.begin(), 50, std::uint8_t{1});
  for (std::size_t i : {1, 2}) {
    images[i].probability[7] = 0.4F;
    images[i].mask[7] = 1;
  }
  const double chosen = evaluation::threshold_by_f1(images).threshold;
  // The F1 of all pixels together hardly falls up to 0.9.
  CHECK(chosen > 0.3);
  CHECK(chosen < 0.45);
}

TEST_CASE("a threshold by share predicts that share, as nearly as ties allow") {
  for (const auto& images : many_maps()) {
    std::vector<std::vector<float>> maps;
    std::size_t count = 0;
    for (const auto& image : images) {
      maps.push_back(image.probability);
      count += image.probability.size();
    }
    const auto predicted = [&](double threshold) {
      double sum = 0;
      for (const auto& map : maps)
        sum +=
            static_cast<double>(std::count_if(map.begin(), map.end(), [&](float value) { return value >= threshold; }));
      return sum;
    };
    evaluation::PixelLevels levels({});
    for (const auto& image : images)
      levels.add(image);
    for (const double share : {0.0, 0.001, 0.02, 0.37, 0.8, 1.0}) {
      CAPTURE(share);
      const double wanted = std::round(share * static_cast<double>(count));
      double nearest = wanted;  // of predicting nothing
      for (const double threshold : test::thresholds(images))
        nearest = std::min(nearest, std::abs(predicted(threshold) - wanted));
      CHECK(std::abs(predicted(evaluation::threshold_by_share(levels, share)) - wanted) == nearest);
    }
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
  sure[0].height = sure[0].width = 2;
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
  const auto clean = test::random_images(1, 2, {8, 8}, 9, 0.0);
  for (const auto& images : {clean, test::Images{}}) {
    for (const auto& choice : std::vector<ThresholdChoice>{
             evaluation::threshold_by_f1(images), evaluation::threshold_by_recall(images, 0.5),
             evaluation::threshold_by_precision(images, 0.5), evaluation::threshold_by_false_area(images, 5)}) {
      CHECK(choice.threshold == 0.5);
      CHECK(choice.unmet == "no labeled image that a threshold can be chosen on shows an anomaly, so it is 0.5");
    }
  }
}
