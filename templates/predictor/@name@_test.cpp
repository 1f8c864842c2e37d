#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "nbs/doctest.h"
#include "nbs/testing.h"

#include "@name@.h"

using nbs::testing::cross_entropy;
using nbs::testing::small_facts;
using Made = nbs::testing::Owned<@name@_plugin::@type@>;

namespace {

// Two profiles of three maps whose losses are higher in a square, and the masks of that square.
struct Lesson {
  nbs::PredictorInput input;
  torch::Tensor masks = torch::zeros({2, 24, 24});

  Lesson() {
    auto generator = nbs::make_generator(7);
    masks.slice(1, 4, 12).slice(2, 6, 16).fill_(1);
    input.profile = 0.5 + torch::rand({2, 3, 24, 24}, generator) + 2 * masks.unsqueeze(1);
  }
};

}  // namespace

TEST_CASE("it gives every pixel a logit, and says what it needs") {
  Made made;
  CHECK(made->needs_profile());
  CHECK(made->logits(Lesson().input).sizes().vec() == std::vector<std::int64_t>{2, 24, 24});
}

TEST_CASE("it learns where losses are higher; train_step() returns the loss before the step") {
  Made made;
  const Lesson lesson;
  const double before = cross_entropy(made->logits(lesson.input), lesson.masks).item<double>();
  CHECK(made->train_step(lesson.input, lesson.masks, cross_entropy) == doctest::Approx(before).epsilon(1e-4));
  for (int i = 0; i < 200; ++i)
    made->train_step(lesson.input, lesson.masks, cross_entropy);
  CHECK(cross_entropy(made->logits(lesson.input), lesson.masks).item<double>() < 0.5 * before);
}

TEST_CASE("an image's logits do not depend on the others in its batch") {
  Made made;
  const Lesson lesson;
  const auto together = made->logits(lesson.input);
  for (std::int64_t i = 0; i < 2; ++i) {
    nbs::PredictorInput alone;
    alone.profile = lesson.input.profile.slice(0, i, i + 1);
    CHECK(torch::allclose(made->logits(alone)[0], together[i], 1e-4, 1e-5));
  }
}

TEST_CASE("what was saved goes on to the same bits") {
  Made original;
  const Lesson lesson;
  original->train_step(lesson.input, lesson.masks, cross_entropy);
  Made copy({}, small_facts(1));
  nbs::testing::restore(*copy, nbs::testing::saved(*original));
  CHECK(copy->train_step(lesson.input, lesson.masks, cross_entropy) ==
        original->train_step(lesson.input, lesson.masks, cross_entropy));
  CHECK(torch::equal(copy->logits(lesson.input), original->logits(lesson.input)));
}
