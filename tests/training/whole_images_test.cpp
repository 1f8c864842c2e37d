// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/whole_images.h"

#include "nbs/training/batches.h"
#include "nbs/training/labeled_views.h"

#include "fakes.h"

using nbs::Random;
using nbs::data::Resize;
using nbs::data::ViewPlan;
using nbs::training::LabeledViews;
using nbs::training::TrainingImages;
using nbs::training::WholeImages;

namespace {

constexpr std::int64_t kView = 16;

ViewPlan plan_of(std::int64_t height, std::int64_t width) {
  nbs::data::DataOptions options;
  options.resize = Resize::tiles;
  options.image_size = kView;
  return {{height, width}, options};
}

// Every pixel's value tells where it lies in its image.
torch::Tensor numbered(std::int64_t image, std::int64_t height, std::int64_t width) {
  return (torch::arange(height * width, torch::kFloat32).view({1, height, width}) + 1e4 * static_cast<double>(image)) /
         1e5 * torch::tensor({1.0F, 0.5F, 0.25F}).view({3, 1, 1});
}

torch::Tensor cut(const torch::Tensor& planes, const nbs::data::View& view) {
  auto square = torch::full({planes.size(0), kView, kView}, 1.0F);  // padding is anomalous, to be told apart
  square.slice(1, 0, view.height)
      .slice(2, 0, view.width)
      .copy_(planes.slice(1, view.y, view.y + view.height).slice(2, view.x, view.x + view.width));
  return square;
}

// Two labeled images, 40 x 20 and 10 x 30; an unlabeled one of 16 x 16; two auxiliary ones of 20 x 16 and 16 x 20, the
// last held out. An anomaly only in the first: the lowest four rows.
struct Example {
  std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {{40, 20}, {10, 30}, {16, 16}, {20, 16}, {16, 20}};
  TrainingImages images;

  Example() {
    std::vector<torch::Tensor> views;
    std::vector<torch::Tensor> masks;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto [height, width] = sizes[i];
      images.plans.push_back(plan_of(height, width));
      const auto& plan = images.plans.back();
      for (std::int64_t v = 0; v < plan.count(); ++v) {
        views.push_back(cut(numbered(static_cast<std::int64_t>(i), height, width), plan.view(v)));
        if (i < 2) masks.push_back(cut(mask_of(i).unsqueeze(0), plan.view(v))[0]);
      }
      if (i == 1) images.labeled = static_cast<std::int64_t>(views.size());
      if (i == 2) images.unlabeled = static_cast<std::int64_t>(views.size()) - images.labeled;
      if (i == 4) images.held_out = plan.count();
    }
    images.images = torch::stack(views);
    images.masks = torch::stack(masks);
  }
  torch::Tensor mask_of(std::size_t image) const {
    auto mask = torch::zeros({sizes[image].first, sizes[image].second});
    if (image == 0) mask.slice(0, 36).fill_(1);
    return mask;
  }
};

}  // namespace

TEST_CASE("views are put together to the images that they are of") {
  const Example example;
  const WholeImages whole(example.images);
  CHECK(whole.count() == 5);
  CHECK(whole.labeled() == 2);
  CHECK(whole.unlabeled() == 1);
  CHECK(whole.held_out() == 1);
  for (std::int64_t i = 0; i < 5; ++i) {
    CAPTURE(i);
    const auto [height, width] = example.sizes[static_cast<std::size_t>(i)];
    CHECK(whole.size(i) == nbs::data::PixelSize{height, width});
    CHECK(torch::equal(whole.colors(i), numbered(i, height, width)));
    if (i < 2) CHECK(torch::equal(whole.mask(i), example.mask_of(static_cast<std::size_t>(i))));
    const auto doubled = whole.stitched(i, [](const torch::Tensor& view) { return view * 2; });
    CHECK(torch::allclose(doubled, numbered(i, height, width) * 2, 1e-5, 1e-6));
  }
  CHECK(whole.views_of({1, 2}) == std::vector<std::int64_t>{6, 7, 8, 9});
}

TEST_CASE("without plans every image is whole") {
  const auto images = nbs::test::small_images(16, 2, 3, 1);
  const WholeImages whole(images);
  CHECK(whole.count() == images.count());
  CHECK(whole.labeled() == 2);
  CHECK(whole.unlabeled() == 3);
  CHECK(torch::equal(whole.colors(3), images.image(3)));
  CHECK(whole.views_of({0, 4}) == std::vector<std::int64_t>{0, 4});
  CHECK(whole.part(4).height == 16);
}

TEST_CASE("padding is neither counted as a pixel nor as an anomaly") {
  const Example example;
  const LabeledViews labeled(example.images);
  std::int64_t pixels = 0;
  for (std::int64_t view = 0; view < example.images.labeled; ++view) {
    CAPTURE(view);
    const auto part = labeled.whole().part(view);
    pixels += labeled.pixels(view);
    CHECK(labeled.pixels(view) == part.height * part.width);
    CHECK(labeled.shows_anomaly(view) == (view < 6 && part.y + part.height > 36));
    CHECK(labeled.anomalous_pixels(view) == (labeled.shows_anomaly(view) ? 4 * part.width : 0));
  }
  CHECK(pixels == 6 * 16 * 16 + 3 * 10 * 16);
}

TEST_CASE("crops of padded views say which of their pixels count") {
  const Example example;
  const LabeledViews labeled(example.images);
  nbs::config::BufferOptions options;
  options.batch = 40;
  Random random(5);
  SUBCASE("a crop that fits into what is no padding lies there") {
    options.crop = 8;
    const auto batch = nbs::training::draw_images({6, 7, 8}, labeled, nullptr, options, {}, random);
    CHECK_FALSE(batch.counted.defined());
    CHECK(batch.masks.max().item<float>() == 0);
  }
  SUBCASE("a larger one holds all rows that there are") {
    options.crop = 12;
    const auto batch = nbs::training::draw_images({6, 7, 8}, labeled, nullptr, options, {}, random);
    REQUIRE(batch.counted.defined());
    CHECK(torch::equal(batch.counted, 1 - batch.masks));  // padding is marked as anomalous, and nothing else
    CHECK(batch.counted.sum().item<double>() == 40 * 10 * 12);
  }
  SUBCASE("around an anomaly") {
    options.crop = 6;
    options.anomalous_crops = 1;
    const auto batch = nbs::training::draw_images({0, 4, 5, 6}, labeled, nullptr, options, {}, random);
    CHECK(batch.masks.flatten(1).any(1).all().item<bool>());
    CHECK_FALSE(batch.counted.defined());
  }
}

TEST_CASE("a fold leaves out an image with all of its views") {
  const Example example;
  auto images = example.images;
  // An anomaly in the second image too, or its fold would be the only one that is taught.
  images.masks = images.masks.clone();
  images.masks[7].slice(0, 0, 2).slice(1, 0, 2).fill_(1);
  auto settings = nbs::test::small_settings();
  settings.train.selection = nbs::config::Selection::last;
  settings.buffer.crop = 8;
  const auto fit = [&](const TrainingImages& of) {
    nbs::test::SmallRun run;
    run.add_folds(2);
    return run.run(of, settings);
  };
  const auto fitted = fit(images);
  REQUIRE(fitted.best.has_value());
  REQUIRE(fitted.best->folds.size() == 2);
  CHECK(fitted.best->folds[0].left_out == std::vector<std::int64_t>{0});
  CHECK(fitted.best->folds[1].left_out == std::vector<std::int64_t>{1});
  for (const std::int64_t changed : {0, 5, 6, 8}) {
    CAPTURE(changed);
    auto other = images;
    other.masks = images.masks.clone();
    const auto part = WholeImages(images).without_padding(other.masks[changed], changed);
    part.copy_(1 - part);
    const auto refitted = fit(other);
    const std::size_t own = changed < 6 ? 0 : 1;
    CHECK(nbs::test::same(refitted.best->folds[own].predictor, fitted.best->folds[own].predictor));
    CHECK_FALSE(nbs::test::same(refitted.best->folds[1 - own].predictor, fitted.best->folds[1 - own].predictor));
  }
}
