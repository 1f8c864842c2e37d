// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/breach.h"
#include "nbs/host/kept_reports.h"
#include "nbs/not_finite.h"

#include "error_text.h"
#include "messages.h"
#include "test_plugins.h"
#include "torch_test.h"

using doctest::Contains;
using nbs::test::error_text;
using nbs::test::text;

namespace {

// Two images of 16 x 16 pixels, patches of 8 x 8; samplers of these tests look at nothing else.
class SmallScene : public nbs::Scene {
 public:
  std::int64_t image_count() const override { return 2; }
  std::int64_t image_size() const override { return 16; }
  std::int64_t patch_size() const override { return 8; }
  bool labeled(std::int64_t) const override { return false; }
  torch::Tensor image(std::int64_t) const override { return {}; }
  torch::Tensor mask(std::int64_t) const override { return {}; }
  torch::Tensor loss(std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t) override { return {}; }
};

nbs::host::Registry& with_manners() {
  static auto& host = [&]() -> nbs::host::Registry& {
    auto& made = nbs::test::registry();
    made.load(nbs::test::test_plugin("manners"));
    return made;
  }();
  return host;
}

nbs::OptionValues with_manner(const std::string& manner) {
  return {{"manner", manner}};
}

nbs::Context& some_context() {
  static nbs::Context context({}, [](const std::string&) {});
  return context;
}

template <typename Call>
bool throws_breach(const Call& call) {
  try {
    call();
  } catch (const nbs::host::Breach&) {
    return true;
  } catch (const nbs::Error&) {
  }
  return false;
}

doctest::String sampled(const std::string& manner) {
  const auto sampler = with_manners().make<nbs::Sampler>("polite", with_manner(manner), some_context(), "p.toml:3:1");
  return error_text([&] {
    SmallScene scene;
    sampler->sample(scene, 4);
  });
}

doctest::String sampled_together(const std::string& manner) {
  const auto sampler = with_manners().make<nbs::Sampler>("polite", with_manner(manner), some_context(), "p.toml:3:1");
  return error_text([&] {
    SmallScene scene;
    sampler->sample_all({{&scene, 4}, {&scene, 3}});
  });
}

doctest::String losses(const std::string& manner) {
  const auto autoencoder =
      with_manners().make<nbs::Autoencoder>("polite", with_manner(manner), some_context(), "p.toml:3:1");
  return error_text([&] { autoencoder->pixel_loss(torch::zeros({5, 3, 8, 8})); });
}

doctest::String logits(const std::string& manner) {
  const auto predictor =
      with_manners().make<nbs::Predictor>("polite", with_manner(manner), some_context(), "p.toml:3:1");
  return error_text([&] { predictor->logits({torch::zeros({2, 3, 4, 6}), {}}); });
}

doctest::String applied(const std::string& manner) {
  const auto link =
      with_manners().make<nbs::Postprocessor>("polite", with_manner(manner), some_context(), "p.toml:3:1");
  return error_text([&] { link->apply(torch::zeros({2, 4, 6}), torch::zeros({2, 3, 4, 6})); });
}

}  // namespace

TEST_CASE("well-behaved plugins pass every check") {
  CHECK(sampled("good") == "no error");
  CHECK(sampled_together("good") == "no error");
  CHECK(losses("good") == "no error");
  CHECK(logits("good") == "no error");
  CHECK(applied("good") == "no error");
}

TEST_CASE("a rollout of another length is refused with both counts") {
  const std::string start = "p.toml:3:1: sampler \"polite\", ";
  CHECK(sampled("few") == text(start + "sample(): returned 3 patches, but 4 were asked for"));
  CHECK(sampled("many") == text(start + "sample(): returned 5 patches, but 4 were asked for"));
  CHECK(sampled_together("many") == text(start + "sample_all(): returned 5 patches, but 4 were asked for"));
  CHECK(sampled_together("rollouts") == text(start + "sample_all(): returned 1 rollouts, but 2 were asked for"));
}

TEST_CASE("a patch that leaves its image, or is in none, is refused with its place") {
  const std::string start = "p.toml:3:1: sampler \"polite\", sample(): returned patch 1 ";
  const std::string end = ", which leaves its image: y and x must be 0 to 8";
  CHECK(sampled("right") == text(start + "at (y 0, x 9)" + end));
  CHECK(sampled("left") == text(start + "at (y 0, x -1)" + end));
  CHECK(sampled("below") == text(start + "at (y 9, x 8)" + end));
  CHECK(sampled("above") == text(start + "at (y -1, x 8)" + end));
  CHECK(sampled("image") == text(start + "in image 2, but the images are 0 to 1"));
  CHECK(sampled("image before the first") == text(start + "in image -1, but the images are 0 to 1"));
  CHECK(sampled_together("right") == Contains("sample_all(): returned patch 1 at (y 0, x 9)"));
}

TEST_CASE("alternatives are named for each step or for none, and stay in their images like patches") {
  const std::string start = "p.toml:3:1: sampler \"polite\", sample(): returned ";
  CHECK(sampled("alternatives") == "no error");
  CHECK(sampled_together("alternatives") == "no error");
  CHECK(sampled("few alternatives") == text(start + "alternatives for 3 steps, but the rollout has 4: name them for "
                                                    "each step, or for none"));
  CHECK(sampled("alternative to the right") ==
        text(start + "an alternative to patch 1 at (y 0, x 9), which leaves its image: y and x must be 0 to 8"));
  CHECK(sampled("alternative in no image") ==
        text(start + "an alternative to patch 1 in image 2, but the images are 0 to 1"));
}

TEST_CASE("a result of the wrong shape or type is refused with what is wanted") {
  const std::string autoencoder = "p.toml:3:1: autoencoder \"polite\", pixel_loss(): returned ";
  CHECK(losses("shape") == text(autoencoder + "[5, 8, 9], but [5, 8, 8] is wanted"));
  CHECK(losses("rank") == text(autoencoder + "[1, 5, 8, 8], but [5, 8, 8] is wanted"));
  CHECK(losses("none") == text(autoencoder + "no tensor, but [5, 8, 8] is wanted"));
  CHECK(losses("double") == text(autoencoder + "Double, but float32 is wanted"));
  CHECK(logits("shape") == "p.toml:3:1: predictor \"polite\", logits(): returned [2, 4, 7], but [2, 4, 6] is wanted");
  CHECK(logits("double") == Contains("float32 is wanted"));
  CHECK(applied("shape") ==
        "p.toml:3:1: postprocessor \"polite\", apply(): returned [2, 4, 7], but [2, 4, 6] is wanted");
  CHECK(applied("none") == Contains("returned no tensor"));
}

TEST_CASE("values out of range are refused with the range: losses below 0, probabilities outside [0, 1]") {
  CHECK(losses("below") == Contains("returned values from -0.25 to 0.5, but 0 to "));
  CHECK(applied("below") ==
        "p.toml:3:1: postprocessor \"polite\", apply(): returned values from -0.25 to 1, but 0 to 1 is wanted");
  CHECK(applied("above") == Contains("returned values from 1 to 1.25, but 0 to 1 is wanted"));
  CHECK(logits("below") == "no error");
  CHECK(losses("above") == "no error");
}

TEST_CASE("a single value that is not a number is found, and told from a plugin's mistake") {
  for (const char* manner : {"nan", "infinite"}) {
    CAPTURE(manner);
    CHECK(losses(manner) == Contains("autoencoder \"polite\", pixel_loss(): returned values from "));
    CHECK(logits(manner) == Contains("predictor \"polite\", logits(): returned values from "));
    CHECK(applied(manner) == Contains("postprocessor \"polite\", apply(): returned values from "));
    // The trainer ends a run that diverges with its last good state; it knows it by the type.
    const auto predictor = with_manners().make<nbs::Predictor>("polite", with_manner(manner), some_context(), "");
    CHECK_THROWS_AS(predictor->logits({torch::zeros({1, 1, 2, 2}), {}}), nbs::NotFiniteError);
  }
  const auto predictor = with_manners().make<nbs::Predictor>("polite", with_manner("shape"), some_context(), "");
  try {
    predictor->logits({torch::zeros({1, 1, 2, 2}), {}});
    FAIL("nothing was thrown");
  } catch (const nbs::NotFiniteError&) {
    FAIL("a wrong shape is no divergence");
  } catch (const nbs::Error&) {
  }
}

TEST_CASE("whatever a plugin throws becomes one sentence with plugin, method and place") {
  CHECK(sampled("throws") == "p.toml:3:1: sampler \"polite\", sample(): out of cheese");
  CHECK(sampled_together("throws") == "p.toml:3:1: sampler \"polite\", sample_all(): out of cheese");
  CHECK(losses("throws") == "p.toml:3:1: autoencoder \"polite\", pixel_loss(): out of cheese");
  CHECK(logits("throws") == "p.toml:3:1: predictor \"polite\", logits(): out of cheese");
  CHECK(applied("throws") == "p.toml:3:1: postprocessor \"polite\", apply(): out of cheese");
  CHECK(applied("throws a number") ==
        "p.toml:3:1: postprocessor \"polite\", apply(): threw something that is not a std::exception");
  // Every other method too; without a place in a file the sentence starts with the plugin.
  const auto sampler = with_manners().make<nbs::Sampler>("polite", with_manner("throws"), some_context(), "");
  CHECK(error_text([&] { sampler->train_step({}); }) == "sampler \"polite\", train_step(): out of cheese");
  const auto autoencoder = with_manners().make<nbs::Autoencoder>("polite", with_manner("throws"), some_context(), "");
  CHECK(error_text([&] { autoencoder->reset(); }) == "autoencoder \"polite\", reset(): out of cheese");
  CHECK(error_text([&] { autoencoder->train_step({}); }) == "autoencoder \"polite\", train_step(): out of cheese");
  CHECK(error_text([&] { autoencoder->state(); }) == "autoencoder \"polite\", state(): out of cheese");
  const auto predictor = with_manners().make<nbs::Predictor>("polite", with_manner("throws"), some_context(), "");
  CHECK(error_text([&] { predictor->train_step({}, {}, {}); }) == "predictor \"polite\", train_step(): out of cheese");
}

TEST_CASE("a state that is of another component is refused with plugin, method and place") {
  const auto loaded = [](const std::string& manner, const nbs::State& state) {
    const auto predictor =
        with_manners().make<nbs::Predictor>("polite", with_manner(manner), some_context(), "p.toml:3:1");
    return error_text([&] { predictor->load(state); });
  };
  nbs::State good;
  with_manners().make<nbs::Predictor>("polite", with_manner("good"), some_context(), "")->save(good);
  CHECK(loaded("good", good) == "no error");
  CHECK(loaded("good", good) == "no error");  // the same state again
  const std::string start = "p.toml:3:1: predictor \"polite\", load(): ";
  const std::string advice = "; it belongs to another pipeline or version, so run this one again";
  CHECK(loaded("good", {}) == text(start + "the tensor \"weights\" is not in the saved state" + advice));
  nbs::State more = good;
  more.write_integer("more", 1);
  CHECK(loaded("good", more) == text(start +
                                     "the tensor \"more\" of the saved state was not read by load(), so it is "
                                     "not of this component" +
                                     advice));
  CHECK(loaded("forgets", good) == Contains("the tensor \"weights\" of the saved state was not read"));
  CHECK(loaded("throws", good) == text(start + "out of cheese"));
  CHECK(loaded("throws a number", good) == text(start + "threw something that is not a std::exception"));
  CHECK(loaded("wrong sizes", good) == Contains("must match the size of tensor b"));
  nbs::State state;
  const auto rude = with_manners().make<nbs::Predictor>("polite", with_manner("throws"), some_context(), "");
  CHECK(error_text([&] { rude->save(state); }) == "predictor \"polite\", save(): out of cheese");
}

TEST_CASE("an error of LibTorch inside a plugin comes without its stack trace") {
  const std::string sentence = applied("wrong sizes").c_str();
  CHECK(text(sentence) == Contains("apply(): The size of tensor a (3) must match the size of tensor b (5)"));
  CHECK(sentence.find("frame #") == std::string::npos);
  CHECK(sentence.find("Exception raised from") == std::string::npos);
}

namespace {

// Images, masks and loss maps that are there, as in a run: the host writes into a map when it is asked for more of it.
class FullScene : public SmallScene {
 public:
  bool labeled(std::int64_t) const override { return true; }
  torch::Tensor image(std::int64_t image) const override { return images[image]; }
  torch::Tensor mask(std::int64_t image) const override { return masks[image]; }
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override {
    losses[image].slice(0, y, y + height).slice(1, x, x + width).add_(1);
    return losses[image];
  }
  torch::Tensor images = torch::ones({2, 3, 16, 16});
  torch::Tensor masks = torch::ones({2, 16, 16});
  torch::Tensor losses = torch::zeros({2, 16, 16});
};

doctest::String sampled_from_full(const std::string& manner) {
  const auto sampler = with_manners().make<nbs::Sampler>("polite", with_manner(manner), some_context(), "p.toml:3:1");
  FullScene scene;
  const auto one = error_text([&] { sampler->sample(scene, 4); });
  FullScene first;
  FullScene second;
  const auto all = error_text([&] { sampler->sample_all({{&first, 4}, {&second, 4}}); });
  CHECK((one == "no error") == (all == "no error"));
  return one;
}

// What is said in a call of `action`; the state of this process must be what it was.
template <typename Action>
std::string said_in(const Action& action) {
  const int threads = at::get_num_threads();
  const bool gradients = torch::GradMode::is_enabled();
  const auto said = nbs::test::messages_of(action);
  CHECK(at::get_num_threads() == threads);
  CHECK(torch::GradMode::is_enabled() == gradients);
  CHECK(torch::get_default_dtype() == caffe2::TypeMeta::Make<float>());
  return said;
}

}  // namespace

TEST_CASE("a sampler that writes into what it sees is caught") {
  const std::string end =
      " of the scene, which it is only given to read, so that others see what it has made of it; "
      "write into a copy (clone())";
  const std::string start = "p.toml:3:1: sampler \"polite\", sample(): wrote into ";
  CHECK(sampled_from_full("writes image") == text(start + "an image" + end));
  CHECK(sampled_from_full("writes mask") == text(start + "a mask" + end));
  CHECK(sampled_from_full("writes loss") == text(start + "a loss map" + end));
  CHECK(sampled_from_full("reads") == "no error");
  CHECK(sampled_from_full("good") == "no error");
}

TEST_CASE("an input that is written to is refused by name") {
  const auto autoencoder =
      with_manners().make<nbs::Autoencoder>("polite", with_manner("writes patches"), some_context(), "");
  CHECK(error_text([&] {
          autoencoder->train_step(torch::ones({2, 3, 8, 8}));
        }) == Contains("autoencoder \"polite\", train_step(): wrote into the patches, which it is only given to read"));
  CHECK(losses("writes patches") == Contains("pixel_loss(): wrote into the patches"));
  const auto taught = [](const char* what) {
    const auto predictor =
        with_manners().make<nbs::Predictor>("polite", with_manner(std::string("writes ") + what), some_context(), "");
    return error_text([&] { predictor->train_step({torch::ones({2, 3, 4, 6}), {}}, torch::ones({2, 4, 6}), nullptr); });
  };
  CHECK(taught("masks") == Contains("train_step(): wrote into the masks"));
  CHECK(taught("profiles") == Contains("train_step(): wrote into the profiles"));
  CHECK(taught("images") == "no error");
  CHECK(logits("writes profiles") == Contains("logits(): wrote into the profiles"));
  CHECK(applied("writes probabilities") == Contains("apply(): wrote into the probabilities"));
  CHECK(applied("writes images") == Contains("apply(): wrote into the images"));
}

TEST_CASE("threads, gradient mode and default type that a plugin changes are put back, and said once") {
  for (const auto& [manner, what] :
       {std::pair<const char*, const char*>{"threads", "changed the number of threads from "},
        {"gradients", "switched the recording of gradients from on to off"},
        {"type", "changed the default type of tensors from Float to Double"}}) {
    CAPTURE(manner);
    const auto sampler = with_manners().make<nbs::Sampler>("polite", with_manner(manner), some_context(), "");
    const auto train = [&] { sampler->train_step({}); };
    const auto said = said_in(train);
    CHECK(text(said) == Contains("warning: sampler \"polite\", train_step(): "));
    CHECK(text(said) == Contains(what));
    CHECK(text(said) == Contains("which is not its own; it was put back\n"));
    CHECK(said_in(train).empty());
  }
}

TEST_CASE("draws from LibTorch's global generator are said once, but not those of a constructor") {
  std::shared_ptr<nbs::Sampler> sampler;
  const auto make = [&] {
    sampler = with_manners().make<nbs::Sampler>("polite", with_manner("generator"), some_context(), "");
  };
  CHECK(said_in(make).empty());
  const auto train = [&] { sampler->train_step({}); };
  CHECK(text(said_in(train)) ==
        Contains("warning: sampler \"polite\", train_step(): drew random numbers from LibTorch's global generator"));
  CHECK(said_in(train).empty());
  // Whoever collects these sentences gets them in place of standard error.
  std::vector<std::string> collected;
  nbs::host::collect_kept_reports([&](const std::string& sentence) { collected.push_back(sentence); });
  CHECK(said_in([&] {
          with_manners()
              .make<nbs::Predictor>("polite", with_manner("generator"), some_context(), "")
              ->train_step({torch::ones({1, 3, 4, 4}), {}}, torch::ones({1, 4, 4}), nullptr);
        }).empty());
  nbs::host::collect_kept_reports(nullptr);
  REQUIRE(collected.size() == 1);
  CHECK(text(collected[0]) == Contains("predictor \"polite\", train_step(): drew random numbers"));
}

TEST_CASE("what a plugin gives back against its promise is a breach; what it throws is none") {
  const auto sampler = with_manners().make<nbs::Sampler>("polite", with_manner("throws"), some_context(), "");
  CHECK_THROWS_AS(sampler->train_step({}), nbs::Error);
  CHECK_FALSE(throws_breach([&] { sampler->train_step({}); }));
  const auto filter = with_manners().make<nbs::Postprocessor>("polite", with_manner("above"), some_context(), "");
  CHECK(throws_breach([&] { filter->apply(torch::ones({1, 4, 4}), torch::ones({1, 3, 4, 4})); }));
}

TEST_CASE("components of every kind save and load; one without state takes nobody else's") {
  const auto tried = [](nbs::Component& component) {
    nbs::State own;
    component.save(own);
    CHECK(own.tensors().empty());
    CHECK(error_text([&] { component.load(own); }) == "no error");
    nbs::State other;
    other.write("weights", torch::ones({2}));
    return error_text([&] { component.load(other); });
  };
  auto& host = with_manners();
  const auto sampler = host.make<nbs::Sampler>("polite", {}, some_context(), "p.toml:3:1");
  const auto autoencoder = host.make<nbs::Autoencoder>("polite", {}, some_context(), "p.toml:4:1");
  const auto postprocessor = host.make<nbs::Postprocessor>("polite", {}, some_context(), "p.toml:5:1");
  CHECK(tried(*sampler) == Contains("p.toml:3:1: sampler \"polite\", load(): the tensor \"weights\""));
  CHECK(tried(*autoencoder) == Contains("p.toml:4:1: autoencoder \"polite\", load(): the tensor \"weights\""));
  CHECK(tried(*postprocessor) == Contains("p.toml:5:1: postprocessor \"polite\", load(): the tensor \"weights\""));
}
