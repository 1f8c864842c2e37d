// SPDX-License-Identifier: Apache-2.0
// Level 10: a short training run with the plugin and plain components beside it: it ends well, again with the same
// bits, and also when it was cut off in the middle. A postprocessor is not trained; every value of its .tune() is
// tried.
#include <optional>

#include <fmt/format.h>

#include "nbs/tensor.h"
#include "nbs/training/trainer.h"

#include "check.h"
#include "pictures.h"
#include "plain.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

constexpr std::int64_t kIterations = 8;

training::TrainingImages images_for(const Context::Facts& facts) {
  training::TrainingImages images;
  images.images = made_images(4, facts.image_size, 1);
  images.masks = made_masks(2, facts.image_size);
  images.labeled = 2;
  images.unlabeled = 2;
  return images;
}

training::Settings settings_for(const Context::Facts& facts) {
  training::Settings settings;
  settings.profile.patch_size = facts.patch_size;
  settings.profile.length = facts.profile_length;
  settings.buffer.batch = 2;
  settings.buffer.crop = facts.image_size / 2;
  settings.train.iterations = kIterations;
  settings.train.patches = 8;
  settings.train.clone_patches = 8;
  settings.train.minibatch = 8;
  settings.train.reinit_every = 5;
  settings.train.warmup = 1;
  return settings;
}

// The plugin among plain components.
class Company {
 public:
  Company(const Subject& subject, const Context::Facts& facts) : made_(make_component(subject, facts, 3)) {
    components_.sampler = made_.sampler;
    components_.autoencoder = made_.autoencoder;
    components_.predictor = made_.predictor;
    if (!components_.sampler) components_.sampler = std::make_shared<PlainSampler>(context("sampler", facts));
    if (!components_.autoencoder)
      components_.autoencoder = std::make_shared<PlainAutoencoder>(context("autoencoder", facts));
    if (!components_.predictor) components_.predictor = std::make_shared<PlainPredictor>();
    components_.generators.emplace("plugin", made_.context->generator());
  }
  const training::Components& components() const { return components_; }

 private:
  Context& context(const char* role, Context::Facts facts) {
    facts.seed = 4;
    contexts_.push_back(std::make_unique<Context>(facts, [](const std::string&) {}));
    components_.generators.emplace(role, contexts_.back()->generator());
    return *contexts_.back();
  }

  Made made_;
  std::vector<std::unique_ptr<Context>> contexts_;
  training::Components components_;
};

// Where a run stands at its end, but for the time that it took.
struct End {
  std::string problem;
  State state;
};

End train(const Subject& subject, const Context::Facts& facts, std::optional<std::int64_t> cut_off) {
  const auto images = images_for(facts);
  const auto settings = settings_for(facts);
  torch::manual_seed(1);
  auto company = std::make_unique<Company>(subject, facts);
  auto trainer = std::make_unique<training::Trainer>(images, company->components(), settings, 5);
  const auto never = [] { return false; };
  if (cut_off) {
    trainer->run([](const auto&) {}, [&] { return trainer->iteration() == *cut_off; });
    State state;
    trainer->save(state);
    auto resumed = std::make_unique<Company>(subject, facts);
    trainer = std::make_unique<training::Trainer>(images, resumed->components(), settings, 5);
    company = std::move(resumed);
    trainer->load(state);
  }
  const auto result = trainer->run([](const auto&) {}, never);
  End end;
  if (result.stop_reason == training::StopReason::diverged) {
    end.problem = result.explanation;
  } else if (!result.best) {
    end.problem = "training ended without a model";
  } else {
    trainer->save(end.state);
  }
  return end;
}

// The first tensor in which two runs differ, or "".
std::string difference(const State& a, const State& b) {
  if (a.tensors().size() != b.tensors().size()) return "the number of tensors";
  for (std::size_t i = 0; i < a.tensors().size(); ++i) {
    const auto& [name, tensor] = a.tensors()[i];
    if (name == "trainer.seconds") continue;
    if (name != b.tensors()[i].first || !torch::equal(tensor, b.tensors()[i].second)) return name;
  }
  return "";
}

void check_tuning(const Subject& subject, const Context::Facts& facts, Notes& notes) {
  std::int64_t tried = 0;
  for (const auto& option : subject.plugin.options) {
    for (const double value : option.tuning) {
      Value wanted = value;
      if (option.type == ValueType::integer) wanted = static_cast<std::int64_t>(value);
      if (option.type == ValueType::integers) wanted = std::vector<std::int64_t>{static_cast<std::int64_t>(value)};
      if (option.type == ValueType::reals) wanted = std::vector<double>{value};
      Specimen::make(subject, facts, 1, {{option.name, wanted}})->use(0);
      ++tried;
    }
  }
  notes.tried(fmt::format("{} values that nbs tune would try", tried));
}

}  // namespace

void check_training(const Subject& subject, Notes& notes) {
  const auto facts = fitting_facts(subject);
  if (subject.plugin.kind == Kind::postprocessor) return check_tuning(subject, facts, notes);
  notes.tried(fmt::format("{} iterations on 4 made images, the same again, and the same cut off after {}", kIterations,
                          kIterations / 2));
  const auto first = train(subject, facts, std::nullopt);
  if (!first.problem.empty()) {
    notes.fail(fmt::format("a short training run with {} did not end well: {}", subject.label(), first.problem),
               "lower its learning rate, or look at what the levels before this one say");
    return;
  }
  if (const auto what = difference(first.state, train(subject, facts, std::nullopt).state); !what.empty()) {
    notes.fail(
        fmt::format("two training runs with {} and the same seed ended apart (first in \"{}\")", subject.label(), what),
        "take everything random from context.generator(), and keep nothing in static variables");
    return;
  }
  if (const auto what = difference(first.state, train(subject, facts, kIterations / 2).state); !what.empty()) {
    notes.fail(
        fmt::format("a training run with {} that was cut off and went on ended apart from one that was not (first "
                    "in \"{}\")",
                    subject.label(), what),
        "save() everything that later results depend on, and load() all of it");
  }
}

}  // namespace nbs::plugin_test
