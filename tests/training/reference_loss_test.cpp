// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/reference_loss.h"

#include <algorithm>

#include "nbs/training/inference.h"

#include "fakes.h"

namespace {

using nbs::training::reference_loss;
using nbs::training::relative_loss;

// Pixel by pixel, from the definition.
torch::Tensor reference_by_hand(const std::vector<torch::Tensor>& maps, std::int64_t blur) {
  const std::int64_t size = maps[0].size(0);
  auto median = torch::empty({size, size});
  for (std::int64_t y = 0; y < size; ++y) {
    for (std::int64_t x = 0; x < size; ++x) {
      std::vector<double> values;
      for (const auto& map : maps)
        values.push_back(map[y][x].item<double>() / map.mean().item<double>());
      std::sort(values.begin(), values.end());
      median[y][x] = values[(values.size() - 1) / 2];
    }
  }
  auto blurred = torch::empty({size, size});
  const std::int64_t reach = blur / 2;
  for (std::int64_t y = 0; y < size; ++y) {
    for (std::int64_t x = 0; x < size; ++x) {
      double sum = 0;
      for (std::int64_t dy = -reach; dy <= reach; ++dy) {
        for (std::int64_t dx = -reach; dx <= reach; ++dx)
          sum += median[std::clamp<std::int64_t>(y + dy, 0, size - 1)][std::clamp<std::int64_t>(x + dx, 0, size - 1)]
                     .item<double>();
      }
      blurred[y][x] = sum / static_cast<double>(blur * blur);
    }
  }
  return blurred;
}

std::vector<torch::Tensor> random_maps(std::int64_t count, std::int64_t size) {
  auto generator = nbs::make_generator(4);
  std::vector<torch::Tensor> maps;
  for (std::int64_t i = 0; i < count; ++i)
    maps.push_back(torch::rand({size, size}, generator) * static_cast<double>(i + 1));
  return maps;
}

// Notes the profiles that it is taught.
class ListeningPredictor : public nbs::test::MeanPredictor {
 public:
  double train_step(const nbs::PredictorInput& input, const torch::Tensor& masks,
                    const nbs::PredictionLoss& loss) override {
    heard.push_back(input.profile.clone());
    return MeanPredictor::train_step(input, masks, loss);
  }
  std::vector<torch::Tensor> heard;
};

}  // namespace

TEST_CASE("what is typical is the median over images of maps divided by their means, blurred") {
  for (const std::int64_t count : {1, 4, 5}) {
    for (const std::int64_t blur : {1, 3, 5}) {
      CAPTURE(count);
      CAPTURE(blur);
      const auto maps = random_maps(count, 7);
      CHECK(torch::allclose(reference_loss(maps, blur), reference_by_hand(maps, blur), 1e-5, 1e-6));
    }
  }
  // An image that the autoencoder knows perfectly has no mean to be divided by.
  CHECK(torch::equal(reference_loss({torch::zeros({4, 4})}, 3), torch::zeros({4, 4})));
}

TEST_CASE("a relative loss is near 1 where it is reference, and finite where nothing is lost") {
  const auto reference = torch::tensor({{1.0F, 4.0F}, {0.0F, 0.45F}});
  const auto relative = relative_loss(torch::tensor({{2.1F, 4.05F}, {0.0F, 1.0F}}), reference);
  CHECK(torch::allclose(relative, torch::tensor({{2.0F, 1.0F}, {0.0F, 2.0F}})));
}

TEST_CASE("profiles are relative while the predictor learns and when it predicts") {
  const auto images = nbs::test::small_images(16, 2, 3, 1);
  auto settings = nbs::test::small_settings();
  settings.profile.normalize = nbs::config::ProfileNormalization::map;
  settings.profile.reference_images = 10;  // more than there are: all five
  settings.profile.reference_blur = 3;
  settings.train.selection = nbs::config::Selection::last;
  settings.buffer.capacity = 2;  // the newest profile of each labeled image
  settings.buffer.crop = 0;
  settings.buffer.dihedral = false;
  nbs::test::SmallRun pieces;
  auto components = pieces.components();
  auto predictor = std::make_shared<ListeningPredictor>();
  components.predictor = predictor;
  nbs::training::Trainer trainer(images, components, settings, 5);
  const auto outcome = trainer.run([](const nbs::training::IterationReport&) {}, [] { return false; });
  REQUIRE(outcome.best.has_value());
  REQUIRE(outcome.best->cycles.size() == 1);
  const auto& cycle = outcome.best->cycles.back();
  REQUIRE(cycle.reference.size() == 3);

  // The profiles of the end by the textbook: all maps of all images, a median over them, then each image's own.
  const nbs::training::Tiling tiling(16, 8, 0, 0);
  std::vector<std::vector<torch::Tensor>> prepared(5);
  for (std::size_t t = 0; t < 3; ++t) {
    nbs::training::restore_snapshot(*components.autoencoder, cycle.snapshots[t]);
    std::vector<torch::Tensor> maps;
    for (std::int64_t i = 0; i < 5; ++i)
      maps.push_back(nbs::training::loss_map(*components.autoencoder, tiling, images.images[i]).clone());
    const auto reference = reference_by_hand(maps, 3);
    CHECK(torch::allclose(cycle.reference[t], reference, 1e-5, 1e-6));
    for (std::int64_t i = 0; i < 5; ++i)
      prepared[i].push_back(maps[i] / maps[i].mean() / (reference + 0.05));
  }
  const auto is_like = [&](const torch::Tensor& heard, std::int64_t image) {
    return torch::allclose(heard, torch::stack(prepared[image]), 1e-4, 1e-5);
  };
  const auto& heard = predictor->heard.back();
  for (std::int64_t b = 0; b < heard.size(0); ++b)
    CHECK(is_like(heard[b], 0) != is_like(heard[b], 1));
  nbs::training::Inference inference(components, settings.profile, false, 16, *outcome.best);
  for (std::int64_t i = 0; i < 5; ++i) {
    nbs::PredictorInput input;
    input.profile = torch::stack(prepared[i]).unsqueeze(0);
    const auto expected = torch::sigmoid(predictor->logits(input)[0]);
    CHECK(torch::allclose(inference.probability(images.images[i]), expected, 1e-4, 1e-6));
  }
}

TEST_CASE("as many images as asked for are drawn, and another seed draws others") {
  const auto images = nbs::test::small_images(16, 2, 12, 1);
  auto settings = nbs::test::small_settings();
  settings.profile.reference_images = 3;
  const auto evaluations = [&](std::uint64_t seed) {
    nbs::test::SmallRun run;
    const auto outcome = run.run(images, settings, seed);
    return std::pair(run.autoencoder->evaluations, outcome.best->cycles.back().reference.back());
  };
  const auto [count, reference] = evaluations(5);
  CHECK(count == 20 * (2 + 3) + 3);  // the last three: whether maps can be replayed
  CHECK(torch::equal(evaluations(5).second, reference));
  CHECK_FALSE(torch::equal(evaluations(6).second, reference));
}
