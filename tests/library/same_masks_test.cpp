// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <thread>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nbs/masker.h>

#include "c_caller.h"
#include "finished_run.h"

using nbs::ImageMask;
using nbs::ImageView;
using nbs::Masker;
using nbs::PixelFormat;
using nbs::test::finished_run;
using nbs::test::with_finished_run;

namespace {

cv::Mat random_image(int rows, int columns, int type, std::uint64_t seed) {
  cv::Mat image(rows, columns, type);
  cv::RNG random(seed);
  random.fill(image, cv::RNG::UNIFORM, 0, 256);
  // Surfaces, which a network answers in other ways than noise.
  cv::GaussianBlur(image, image, {7, 7}, 2);
  cv::normalize(image, image, 0, 255, cv::NORM_MINMAX);
  return image;
}

ImageView view_of(const cv::Mat& image, PixelFormat format) {
  return {image.data, image.cols, image.rows, format, static_cast<std::int64_t>(image.step)};
}

// The image after a conversion of OpenCV's, with rows that have a gap.
cv::Mat converted(const cv::Mat& image, int conversion) {
  cv::Mat turned;
  cv::cvtColor(image, turned, conversion);
  cv::Mat wide(turned.rows, turned.cols + 5, turned.type(), cv::Scalar::all(77));
  cv::Mat inside = wide.colRange(2, 2 + turned.cols);
  turned.copyTo(inside);
  return inside;
}

// What `nbs predict` writes for an image.
struct Pictures {
  cv::Mat mask;
  cv::Mat probability;
};

Pictures predicted(const cv::Mat& image, const std::vector<std::string>& options = {}, const std::string& run = "run") {
  const auto& nbs = with_finished_run();
  cv::imwrite((nbs.folder() / "image.png").string(), image);
  std::vector<std::string> words = {"predict", run, "image.png", "--out", "masks"};
  words.insert(words.end(), options.begin(), options.end());
  const auto ended = nbs(words);
  INFO(ended.errors);
  REQUIRE(ended.status == 0);
  return {cv::imread((nbs.folder() / "masks" / "image.mask.png").string(), cv::IMREAD_UNCHANGED),
          cv::imread((nbs.folder() / "masks" / "image.probability.png").string(), cv::IMREAD_UNCHANGED)};
}

// Pixels that differ from the pictures, of which that of the probability has 16 bits.
int differences(const ImageMask& result, const Pictures& pictures) {
  REQUIRE(pictures.mask.type() == CV_8UC1);
  REQUIRE(pictures.probability.type() == CV_16UC1);
  REQUIRE(pictures.mask.size() == cv::Size(static_cast<int>(result.width), static_cast<int>(result.height)));
  REQUIRE(result.mask.size() == pictures.mask.total());
  int count = 0;
  for (int y = 0; y < pictures.mask.rows; ++y) {
    for (int x = 0; x < pictures.mask.cols; ++x) {
      const auto at =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(pictures.mask.cols) + static_cast<std::size_t>(x);
      const auto gray = static_cast<std::uint16_t>(result.probability[at] * 65535 + 0.5F);
      if (result.mask[at] != pictures.mask.at<std::uint8_t>(y, x)) ++count;
      if (gray != pictures.probability.at<std::uint16_t>(y, x)) ++count;
    }
  }
  return count;
}

// A threshold that divides the pixels of an image, which the run's own need not.
double dividing_threshold(const ImageMask& result) {
  auto sorted = result.probability;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

}  // namespace

TEST_CASE("masks and probabilities are those that nbs predict writes, at sizes above and below the model's") {
  const Masker masker(finished_run());
  for (const auto size : {cv::Size(50, 40), cv::Size(20, 70), cv::Size(32, 32), cv::Size(1, 1), cv::Size(7, 19)}) {
    CAPTURE(size.width);
    for (const bool color : {true, false}) {
      const auto image = random_image(size.height, size.width, color ? CV_8UC3 : CV_8UC1, 5);
      const auto result = masker.mask(view_of(image, color ? PixelFormat::bgr : PixelFormat::gray));
      CHECK(differences(result, predicted(image)) == 0);
    }
  }
}

TEST_CASE("a run that looks at images in views masks as nbs predict does") {
  const Masker masker(nbs::test::run_in_views());
  for (const auto size : {cv::Size(100, 70), cv::Size(32, 90), cv::Size(20, 11)}) {
    CAPTURE(size.width);
    const auto image = random_image(size.height, size.width, CV_8UC3, 9);
    const auto result = masker.mask(view_of(image, PixelFormat::bgr));
    CHECK(differences(result, predicted(image, {}, "tiled")) == 0);
  }
}

TEST_CASE("a pixel is anomalous from the threshold of the run, or from one that is given") {
  const Masker masker(finished_run());
  const auto image = random_image(60, 80, CV_8UC3, 6);
  auto result = masker.mask(view_of(image, PixelFormat::bgr));
  const double threshold = dividing_threshold(result);
  nbs_output output = {};
  output.mask = result.mask.data();
  output.threshold = &threshold;
  masker.mask(view_of(image, PixelFormat::bgr), output);
  const auto anomalous = std::count(result.mask.begin(), result.mask.end(), 255);
  CHECK(anomalous > 60 * 80 / 4);
  CHECK(anomalous < 60 * 80);
  for (std::size_t i = 0; i < result.mask.size(); ++i)
    REQUIRE(result.mask[i] == (result.probability[i] >= threshold ? 255 : 0));
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", threshold);
  CHECK(differences(result, predicted(image, {"--threshold", text})) == 0);
  CHECK(masker.threshold() > 0);
  CHECK(masker.image_size() == 32);
  CHECK(masker.threads() == 1);
}

TEST_CASE("an image is the same in every pixel format, whatever lies between its rows") {
  const Masker masker(finished_run());
  const auto image = random_image(45, 61, CV_8UC3, 7);
  const auto expected = masker.mask(view_of(image, PixelFormat::bgr));
  for (const auto& [format, conversion] : {std::pair<PixelFormat, int>{PixelFormat::rgb, cv::COLOR_BGR2RGB},
                                           {PixelFormat::rgba, cv::COLOR_BGR2RGBA},
                                           {PixelFormat::bgra, cv::COLOR_BGR2BGRA}}) {
    CAPTURE(static_cast<int>(format));
    const auto result = masker.mask(view_of(converted(image, conversion), format));
    CHECK(result.probability == expected.probability);
  }
  // Red and blue are not the same to the model, or this would test nothing.
  CHECK(masker.mask(view_of(image, PixelFormat::rgb)).probability != expected.probability);
  const auto gray = random_image(45, 61, CV_8UC1, 8);
  CHECK(masker.mask(view_of(gray, PixelFormat::gray)).probability ==
        masker.mask(view_of(converted(gray, cv::COLOR_GRAY2BGR), PixelFormat::bgr)).probability);
}

TEST_CASE("rows of the result go where their stride says, and nothing is written between them") {
  const Masker masker(finished_run());
  const auto image = random_image(9, 13, CV_8UC3, 9);
  const auto expected = masker.mask(view_of(image, PixelFormat::bgr));
  std::vector<std::uint8_t> mask(9 * 20, 7);
  std::vector<float> probability(9 * 16, -7);
  nbs_output output = {};
  output.mask = mask.data();
  output.mask_stride = 20;
  output.probability = probability.data();
  output.probability_stride = 16 * sizeof(float);
  masker.mask(view_of(image, PixelFormat::bgr), output);
  for (std::size_t y = 0; y < 9; ++y) {
    for (std::size_t x = 0; x < 20; ++x)
      REQUIRE(mask[y * 20 + x] == (x < 13 ? expected.mask[y * 13 + x] : 7));
    for (std::size_t x = 0; x < 16; ++x)
      REQUIRE(probability[y * 16 + x] == (x < 13 ? expected.probability[y * 13 + x] : -7));
  }
}

TEST_CASE("several threads that share an object get what one gets, and so do objects of their own") {
  const Masker masker(finished_run());
  constexpr std::size_t kImages = 6;
  std::vector<cv::Mat> images;
  std::vector<ImageMask> expected;
  for (std::size_t i = 0; i < kImages; ++i) {
    images.push_back(random_image(30 + static_cast<int>(i), 40, CV_8UC3, 20 + i));
    expected.push_back(masker.mask(view_of(images[i], PixelFormat::bgr)));
  }
  std::vector<int> wrong(2 * kImages, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2 * kImages; ++t) {
    threads.emplace_back([&, t] {
      const auto i = t % kImages;
      nbs::MaskerOptions options;
      options.threads = 1;
      const auto own = t < kImages ? nullptr : std::make_unique<Masker>(finished_run(), options);
      for (int round = 0; round < 8; ++round) {
        const auto result = (own ? *own : masker).mask(view_of(images[i], PixelFormat::bgr));
        if (result.probability != expected[i].probability || result.mask != expected[i].mask) ++wrong[t];
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == std::vector<int>(2 * kImages, 0));
}

TEST_CASE("a program in C gets the same mask") {
  const auto image = random_image(25, 35, CV_8UC1, 10);
  std::vector<std::uint8_t> mask(25 * 35, 7);
  const char* const failure = mask_from_c(finished_run().c_str(), image.data, 35, 25, mask.data());
  CHECK(std::string(failure != nullptr ? failure : "") == "");
  CHECK(mask == Masker(finished_run()).mask(view_of(image, PixelFormat::gray)).mask);
}
