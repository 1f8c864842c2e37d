// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <opencv2/imgcodecs.hpp>

#include "nbs/draw.h"
#include "nbs/error.h"
#include "nbs/plugin.h"

namespace {

/// Which patches are taken.
enum class Kind { clean, anomalous };

/// Draws uniformly among the patches without (or with) an anomalous pixel, of unlabeled images too. It reads the truth
/// of these from the pictures of a finished run, which no honest sampler can do: what it is worth over uniform patches
/// is the most that choosing clean patches can bring.
class OracleSampler : public nbs::Sampler {
 public:
  struct Options {
    std::string truth;
    Kind kind = Kind::clean;

    static void declare(nbs::Schema<Options>& s) {
      s.add("truth", &Options::truth)
          .path()
          .doc("Folder predictions/ of a finished run on the same split: its files *.truth.png are read.");
      s.add("kind", &Options::kind)
          .choices({{"clean", Kind::clean}, {"anomalous", Kind::anomalous}})
          .doc("Patches without an anomalous pixel, or with one.");
    }
  };

  OracleSampler(const Options& options, nbs::Context& context) : options_(options), draw_(context.generator()) {}

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    nbs::Rollout rollout;
    while (static_cast<std::int64_t>(rollout.patches.size()) < count) {
      const nbs::Patch patch = {draw_.below(scene.image_count()), draw_.below(places), draw_.below(places)};
      // An image may hold no patch of the kind, so another one is drawn with the place.
      if (++refused_ > kMostRefused)
        throw nbs::Error("of a million patches in turn none is of the kind that is wanted; use another data set");
      if (is_anomalous(scene, patch) != (options_.kind == Kind::anomalous)) continue;
      refused_ = 0;
      rollout.patches.push_back(patch);
    }
    return rollout;
  }

 private:
  static constexpr std::int64_t kMostRefused = 1000000;

  bool is_anomalous(const nbs::Scene& scene, const nbs::Patch& patch) {
    const auto& sums = sums_of(scene, patch.image);
    const auto at = [&](std::int64_t y, std::int64_t x) { return sums[y][x].item<std::int64_t>(); };
    const std::int64_t below = patch.y + scene.patch_size();
    const std::int64_t right = patch.x + scene.patch_size();
    return at(below, right) - at(patch.y, right) - at(below, patch.x) + at(patch.y, patch.x) > 0;
  }

  // [S + 1, S + 1]: anomalous pixels above and left of each place.
  const torch::Tensor& sums_of(const nbs::Scene& scene, std::int64_t image) {
    auto& sums = sums_[image];
    if (sums.defined()) return sums;
    const auto mask = (scene.labeled(image) ? scene.mask(image) : truth_of(scene, image)).to(torch::kInt64);
    sums = torch::zeros({mask.size(0) + 1, mask.size(1) + 1}, torch::kInt64);
    sums.slice(0, 1).slice(1, 1).copy_(mask.cumsum(0).cumsum(1));
    return sums;
  }

  torch::Tensor truth_of(const nbs::Scene& scene, std::int64_t image) const {
    const auto file = std::filesystem::path(options_.truth) / (scene.image_id(image) + ".truth.png");
    const cv::Mat picture = cv::imread(file.string(), cv::IMREAD_GRAYSCALE);
    if (picture.rows != scene.image_size() || picture.cols != scene.image_size())
      throw nbs::Error(file.string() + " is no truth of this image; name predictions/ of a finished run in truth");
    return torch::from_blob(picture.data, {picture.rows, picture.cols}, torch::kUInt8) > 127;
  }

  Options options_;
  nbs::Draw draw_;
  std::int64_t refused_ = 0;
  std::map<std::int64_t, torch::Tensor> sums_;
};

}  // namespace

NBS_PLUGIN("oracle", "1.0.0") {
  registrar.add<OracleSampler>("oracle", "Patches by masks that no sampler may know: the most that a choice can bring");
}
