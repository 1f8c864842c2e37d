// SPDX-License-Identifier: Apache-2.0
#include "chained_rows.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "nbs/tensor.h"
#include "nbs/torch_compat.h"

#include "torch_test.h"

using nbs::worker::ChainedRows;

namespace {

// Means over squares of nine pixels, of probabilities and the image's red together; notes the largest image it saw and
// how many maps at once.
class Blurring : public nbs::Postprocessor {
 public:
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) override {
    CHECK(images.size(2) == probabilities.size(1));
    CHECK(images.size(3) == probabilities.size(2));
    most_maps = std::max(most_maps, probabilities.size(0));
    largest = std::max({largest, probabilities.size(1), probabilities.size(2)});
    const auto mixed = (probabilities + images.select(1, 0)) / 2;
    return torch::avg_pool2d(mixed.unsqueeze(1), {9, 9}, {1, 1}, {4, 4}, false, false).squeeze(1);
  }
  std::int64_t largest = 0;
  std::int64_t most_maps = 0;
};

}  // namespace

TEST_CASE("a chain on the blocks of a large image gives what it gives on the whole") {
  auto generator = nbs::make_generator(3);
  const auto probability = torch::rand({2300, 4100}, generator);
  const auto image = torch::rand({3, 2300, 4100}, generator);
  const auto blurring = std::make_shared<Blurring>();
  const auto expected = Blurring().apply(probability.unsqueeze(0), image.unsqueeze(0))[0];
  const auto found = nbs::worker::postprocess({blurring}, probability, image);
  CHECK(blurring->largest == 512);
  REQUIRE(found.sizes() == expected.sizes());
  CHECK((found - expected).abs().max().item<double>() < 1e-6);

  // A band at a time it is the same to the last bit, and rows come out before all are in.
  ChainedRows rows({blurring}, {2300, 4100}, [&](auto y, auto x, auto height, auto width) {
    return image.slice(1, y, y + height).slice(2, x, x + width);
  });
  std::int64_t done = 0;
  for (std::int64_t begin = 0; begin < 2300; begin += 230) {
    rows.add(probability.slice(0, begin, begin + 230));
    auto taken = rows.take();
    CHECK(taken.begin == done);
    done = taken.end;
    if (begin == 9 * 230) {
      CHECK(taken.begin > 0);
    }
    if (taken.begin == taken.end) continue;
    const auto band = torch::from_blob(taken.planes[0].data(), {taken.end - taken.begin, 4100});
    CHECK(torch::equal(band, found.slice(0, taken.begin, taken.end)));
  }
  CHECK(done == 2300);
}

TEST_CASE("a small image is given to the chain whole, and an empty chain changes nothing") {
  auto generator = nbs::make_generator(4);
  const auto probability = torch::rand({30, 50}, generator);
  const auto image = torch::rand({3, 30, 50}, generator);
  CHECK(torch::equal(nbs::worker::postprocess({}, probability, image), probability));
  const auto blurring = std::make_shared<Blurring>();
  CHECK(torch::equal(nbs::worker::postprocess({blurring}, probability, image),
                     Blurring().apply(probability.unsqueeze(0), image.unsqueeze(0))[0]));
  CHECK(blurring->largest == 50);
}

TEST_CASE("an image with sides of 2048 pixels is still given to the chain whole") {
  const auto probability = torch::full({2048, 40}, 0.25F);
  const auto blurring = std::make_shared<Blurring>();
  nbs::worker::postprocess({blurring}, probability, torch::zeros({3, 2048, 40}));
  CHECK(blurring->largest == 2048);
}

TEST_CASE("several maps of an image come out as each alone, together where they are small") {
  auto generator = nbs::make_generator(5);
  // All at once; three at a time; one at a time; in blocks.
  for (const auto& [height, width, most] :
       {std::tuple{30, 50, 5}, std::tuple{500, 600, 3}, std::tuple{1000, 900, 1}, std::tuple{2100, 600, 1}}) {
    CAPTURE(height);
    const auto probabilities = torch::rand({5, height, width}, generator);
    const auto image = torch::rand({3, height, width}, generator);
    const auto blurring = std::make_shared<Blurring>();
    const auto found = nbs::worker::postprocess_all({blurring}, probabilities, image);
    CHECK(blurring->most_maps == most);
    REQUIRE(found.sizes() == probabilities.sizes());
    for (std::int64_t i = 0; i < 5; ++i)
      CHECK(torch::equal(found[i], nbs::worker::postprocess({std::make_shared<Blurring>()}, probabilities[i], image)));
    CHECK(torch::equal(nbs::worker::postprocess_all({}, probabilities, image), probabilities));
  }
}
