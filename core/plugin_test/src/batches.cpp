// SPDX-License-Identifier: Apache-2.0
// Level 8: the result of one patch, image or map does not depend on the others of its batch, but for the last bits.
#include <fmt/format.h>

#include "nbs/tensor.h"

#include "check.h"
#include "pictures.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

torch::Tensor part_of(const torch::Tensor& tensor, std::int64_t from, std::int64_t to) {
  return tensor.defined() ? tensor.slice(0, from, to).contiguous() : tensor;
}

// Answers about items `from` to `to` of six, behind some steps of learning.
class Asked {
 public:
  Asked(const Subject& subject, const Context::Facts& facts) : made_(make_component(subject, facts, 3)), facts_(facts) {
    if (made_.autoencoder) {
      made_.autoencoder->reset();
      for (std::uint64_t i = 0; i < 3; ++i)
        made_.autoencoder->train_step(made_images(6, facts.patch_size, i));
    }
  }
  torch::Tensor answer(std::int64_t from, std::int64_t to) {
    constexpr std::int64_t n = 6;
    if (made_.autoencoder)
      return made_.autoencoder->pixel_loss(part_of(made_images(n, facts_.patch_size, 9), from, to));
    const auto size = facts_.image_size / 2;
    if (made_.predictor) {
      const auto all = predictor_input(*made_.predictor, facts_, n, size, 9);
      return made_.predictor->logits({part_of(all.profile, from, to), part_of(all.image, from, to)});
    }
    return made_.postprocessor->apply(part_of(made_probabilities(n, size, 9), from, to),
                                      part_of(made_images(n, size, 10), from, to));
  }

 private:
  Made made_;
  Context::Facts facts_;
};

const char* method_of(Kind kind) {
  if (kind == Kind::autoencoder) return "pixel_loss";
  return kind == Kind::predictor ? "logits" : "apply";
}

}  // namespace

void check_batches(const Subject& subject, Notes& notes) {
  notes.tried("six in one batch, each alone, and three and three");
  Asked asked(subject, fitting_facts(subject));
  const auto together = asked.answer(0, 6);
  std::vector<torch::Tensor> alone;
  for (std::int64_t i = 0; i < 6; ++i)
    alone.push_back(asked.answer(i, i + 1));
  const auto halves = torch::cat({asked.answer(0, 3), asked.answer(3, 6)});
  for (const auto& other : {torch::cat(alone), halves}) {
    if (nearly_same(together, other)) continue;
    notes.fail(
        fmt::format("{}, {}() gives one of a batch another result, by up to {:.3g}, when other ones are in the "
                    "batch",
                    subject.label(), method_of(subject.plugin.kind), (together - other).abs().max().item<double>()),
        "normalize within one of them, or by stored values (batch normalization uses its running statistics "
        "there)");
    return;
  }
}

}  // namespace nbs::plugin_test
