// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/view_images.h"

#include <doctest/doctest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/data/image.h"
#include "nbs/data/sets.h"

#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using data::Resize;
using data::ViewPlan;

namespace {

constexpr int kView = 16;

cv::Mat random_picture(int rows, int columns, int type, int seed) {
  cv::Mat picture(rows, columns, type);
  cv::RNG random(static_cast<std::uint64_t>(seed));
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  return picture;
}

// A folder of color images of several sizes with masks; the file's red is the mask's number where it is anomalous.
struct Folder {
  const test::Scratch scratch;
  std::vector<cv::Size> sizes = {{40, 23}, {16, 16}, {7, 30}, {50, 12}};
  std::vector<cv::Mat> pictures;
  std::vector<cv::Mat> masks;

  Folder() {
    std::filesystem::create_directories(scratch / "images");
    std::filesystem::create_directories(scratch / "masks");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto name = std::string(1, static_cast<char>('a' + i)) + ".png";
      pictures.push_back(random_picture(sizes[i].height, sizes[i].width, CV_8UC3, static_cast<int>(i)));
      cv::Mat mask = random_picture(sizes[i].height, sizes[i].width, CV_8UC1, 50 + static_cast<int>(i)) > 200;
      masks.push_back(mask / 255);
      cv::imwrite((scratch / ("images/" + name)).string(), pictures.back());
      cv::imwrite((scratch / ("masks/" + name)).string(), mask);
    }
  }
  data::DataOptions options(Resize resize) const {
    auto options = test::options_for("folder", scratch.path(), 3);
    options.image_size = kView;
    options.resize = resize;
    return options;
  }
};

// As OpenCV cuts and mirrors it.
cv::Mat cut(const cv::Mat& whole, const data::View& view) {
  cv::Mat square;
  const cv::Rect place(static_cast<int>(view.x), static_cast<int>(view.y), static_cast<int>(view.width),
                       static_cast<int>(view.height));
  cv::copyMakeBorder(whole(place).clone(), square, 0, kView - place.height, 0, kView - place.width,
                     cv::BORDER_REFLECT_101);
  return square;
}

// CV_8UC3 RGB of a stored image.
cv::Mat stored_levels(const data::ImageStore& store, std::int64_t place) {
  std::vector<std::uint8_t> pixels(3 * kView * kView);
  store.copy(place, pixels.data());
  std::vector<cv::Mat> planes;
  for (int c = 0; c < 3; ++c)
    planes.push_back(cv::Mat(kView, kView, CV_8UC1, pixels.data() + c * kView * kView).clone());
  cv::Mat picture;
  cv::merge(planes, picture);
  return picture;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

}  // namespace

TEST_CASE("tiles show the pixels of the file, and mirror them where it ends") {
  const Folder folder;
  const auto options = folder.options(Resize::tiles);
  for (std::size_t i = 0; i < folder.sizes.size(); ++i) {
    CAPTURE(i);
    cv::Mat rgb;
    cv::cvtColor(folder.pictures[i], rgb, cv::COLOR_BGR2RGB);
    const ViewPlan plan({rgb.rows, rgb.cols}, options);
    const data::ViewReader reader(folder.pictures[i], plan, options);
    for (std::int64_t view = 0; view < plan.count(); ++view)
      CHECK(same(reader.levels(view), cut(rgb, plan.view(view))));
    CHECK(same(reader.rows(2, 9), rgb.rowRange(2, 9)));
  }
}

TEST_CASE("a training set of tiles has the views of its images, with their masks, image by image") {
  const Folder folder;
  const auto options = folder.options(Resize::tiles);
  const auto listing = data::list_samples(options);
  const auto split = data::draw_split(listing, options);
  const auto set = data::load_training_set(listing, split, options);
  CHECK(set.labeled == 3);
  CHECK(set.unlabeled == 1);
  REQUIRE(set.plans.size() == 4);
  auto order = split.labeled;
  order.push_back(split.unlabeled[0]);
  std::size_t next = 0;
  std::size_t next_mask = 0;
  for (std::size_t n = 0; n < 4; ++n) {
    const auto i = static_cast<std::size_t>(order[n]);
    CAPTURE(i);
    CHECK(set.ids[n] == std::string(1, static_cast<char>('a' + i)));
    cv::Mat rgb;
    cv::cvtColor(folder.pictures[i], rgb, cv::COLOR_BGR2RGB);
    const auto& plan = set.plans[n];
    CHECK(plan.size() == data::PixelSize{rgb.rows, rgb.cols});
    for (std::int64_t view = 0; view < plan.count(); ++view) {
      REQUIRE(next < set.places.size());
      CHECK(same(stored_levels(*set.images, set.places[next++]), cut(rgb, plan.view(view))));
      if (n >= 3) continue;
      cv::Mat mask;
      cut(folder.masks[i], plan.view(view)).convertTo(mask, CV_32F);
      REQUIRE(next_mask + kView * kView <= set.masks.size());
      CHECK(same(cv::Mat(kView, kView, CV_32F, const_cast<float*>(set.masks.data()) + next_mask), mask));
      next_mask += kView * kView;
    }
  }
  CHECK(next == set.places.size());
  CHECK(static_cast<std::int64_t>(next) == set.images->count());
  CHECK(next_mask == set.masks.size());
  const data::ScoringSet scoring(listing, split, options);
  const auto& truth = folder.masks[static_cast<std::size_t>(split.unlabeled[0])];
  CHECK(scoring.mask(0) == std::vector<std::uint8_t>(truth.begin<std::uint8_t>(), truth.end<std::uint8_t>()));
}

TEST_CASE("kept proportions: one view, the resized image and its mirror image") {
  const Folder folder;
  const auto options = folder.options(Resize::keep);
  const auto listing = data::list_samples(options);
  const auto split = data::draw_split(listing, options);
  const auto set = data::load_training_set(listing, split, options);
  REQUIRE(set.plans.size() == 4);
  CHECK(set.places.size() == 4);
  for (std::size_t n = 0; n < 3; ++n) {
    const auto i = static_cast<std::size_t>(split.labeled[n]);
    CAPTURE(i);
    const auto& plan = set.plans[n];
    const auto size = plan.size();
    CHECK(std::max(size.height, size.width) == kView);
    const cv::Mat resized = data::resize_image(data::rgb_of(folder.pictures[i]), size);
    cv::Mat levels;
    resized.convertTo(levels, CV_8U, 255);
    CHECK(same(stored_levels(*set.images, set.places[n]), cut(levels, plan.view(0))));
    cv::Mat mask;
    cv::resize(folder.masks[i], mask, cv::Size(static_cast<int>(size.width), static_cast<int>(size.height)), 0, 0,
               cv::INTER_NEAREST);
    cut(mask, plan.view(0)).convertTo(mask, CV_32F);
    CHECK(same(cv::Mat(kView, kView, CV_32F, const_cast<float*>(set.masks.data()) + n * kView * kView), mask));
  }
  const data::ScoringSet scoring(listing, split, options);
  const auto size = set.plans[3].size();
  CHECK(static_cast<std::int64_t>(scoring.mask(0).size()) == size.height * size.width);
}

TEST_CASE("the key of stored images tells how they were resized") {
  const Folder folder;
  const auto listing = data::list_samples(folder.options(Resize::tiles));
  std::vector<const data::Sample*> samples;
  for (const auto& sample : listing.samples)
    samples.push_back(&sample);
  auto options = folder.options(Resize::tiles);
  const auto tiles = data::key_of_images(samples, options);
  CHECK(data::key_of_images(samples, folder.options(Resize::keep)) != tiles);
  CHECK(data::key_of_images(samples, folder.options(Resize::square)) != tiles);
  options.tile_overlap = 0.3;
  CHECK(data::key_of_images(samples, options) != tiles);
}
