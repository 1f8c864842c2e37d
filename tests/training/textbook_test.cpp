// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "nbs/training/inference.h"

#include "autoencoder.h"
#include "fakes.h"

// The whole of training against the paper's own loop: every image evaluated after every iteration.

namespace {

// Loss map by tiles, written out. Offset 0, no overlap: the paper's tiling.
torch::Tensor textbook_map(nbs::Autoencoder& autoencoder, const torch::Tensor& image, std::int64_t p) {
  const std::int64_t along = image.size(1) / p;
  std::vector<torch::Tensor> tiles;
  for (std::int64_t y = 0; y < along; ++y) {
    for (std::int64_t x = 0; x < along; ++x)
      tiles.push_back(image.slice(1, y * p, (y + 1) * p).slice(2, x * p, (x + 1) * p));
  }
  const auto losses = autoencoder.pixel_loss(torch::stack(tiles));
  auto map = torch::empty({image.size(1), image.size(2)});
  for (std::int64_t i = 0; i < along * along; ++i) {
    const std::int64_t y = i / along * p;
    const std::int64_t x = i % along * p;
    map.slice(0, y, y + p).slice(1, x, x + p).copy_(losses[i]);
  }
  return map;
}

}  // namespace

TEST_CASE("with the conv autoencoder, the profiles of the best checkpoint are the textbook loop's, bit for bit") {
  for (const std::int64_t stride : {1, 2}) {
    CAPTURE(stride);
    const auto images = nbs::test::small_images(32, 2, 3, 1);
    auto settings = nbs::test::small_settings();
    settings.profile.patch_size = 16;
    settings.profile.stride = stride;
    settings.buffer.crop = 16;
    nbs::Context::Facts facts;
    facts.seed = 3;
    facts.patch_size = 16;
    nbs::Context context(facts, [](const std::string&) {});
    auto options = nbs::schema_of<nbs::conv::Options>().make();
    options.channels = {4, 8};
    options.bottleneck = 6;
    nbs::test::SmallRun pieces;
    nbs::training::Components components = pieces.components();
    components.autoencoder = std::make_shared<nbs::conv::ConvAutoencoder>(options, context);

    std::vector<std::deque<torch::Tensor>> profiles(5);
    std::vector<torch::Tensor> best;
    std::int64_t best_iteration = -1;
    nbs::training::Trainer trainer(images, components, settings, 7);
    const auto outcome = trainer.run(
        [&](const nbs::training::IterationReport& report) {
          const std::int64_t age = report.iteration % settings.train.reinit_every;
          if (age == 0) profiles.assign(5, {});
          if (age % stride == 0) {
            for (std::int64_t i = 0; i < 5; ++i) {
              profiles[i].push_back(textbook_map(*components.autoencoder, images.images[i], 16));
              if (profiles[i].size() > 3) profiles[i].pop_front();
            }
          }
          if (!report.value("best")) return;
          best_iteration = report.iteration;
          best.clear();
          for (const auto& maps : profiles)
            best.push_back(torch::stack(std::vector<torch::Tensor>(maps.begin(), maps.end())));
        },
        [] { return false; });
    REQUIRE(outcome.best.has_value());
    REQUIRE(best.size() == 5);
    CHECK(outcome.best->iteration == best_iteration);
    nbs::training::Inference inference(components, settings.profile, false, 32, *outcome.best);
    for (std::int64_t i = 0; i < 5; ++i) {
      CHECK(best[i].size(0) == 3);
      CHECK_FALSE(torch::equal(best[i][0], best[i][2]));
      CHECK(torch::equal(inference.profile(images.images[i]), best[i]));
      // And what the predictor says of it.
      nbs::PredictorInput input;
      input.profile = (best[i] / best[i].mean()).unsqueeze(0);
      const auto expected = torch::sigmoid(components.predictor->logits(input)[0]);
      CHECK(torch::allclose(inference.probability(images.images[i]), expected, 1e-4, 1e-6));
    }
  }
}
