// SPDX-License-Identifier: Apache-2.0
// train.student_iterations: predictors that learn from the masks that others made.
#include <algorithm>
#include <cmath>
#include <vector>

#include "nbs/error.h"
#include "nbs/evaluation/threshold.h"
#include "nbs/training/batches.h"
#include "nbs/training/pseudo_labels.h"
#include "nbs/training/safetensors.h"

#include "error_text.h"
#include "fakes.h"

using nbs::test::same;
using nbs::test::small_images;
using nbs::training::Inference;
using nbs::training::IterationReport;
using nbs::training::LabeledViews;
using nbs::training::PseudoLabels;
using nbs::training::Trainer;
using nbs::training::TrainingImages;
using nbs::training::TrainingResult;

namespace {

constexpr std::int64_t kWithMask = 3;
constexpr std::int64_t kWithoutMask = 4;
constexpr std::int64_t kTeacher = 12;
constexpr std::int64_t kStudent = 8;

// logit = slope x mean color + shift, and notes the share of anomalous pixels of what it is taught.
class ColorPredictor : public nbs::Predictor {
 public:
  bool needs_profile() const override { return false; }
  bool needs_image() const override { return true; }
  bool is_trainable() const override { return true; }
  double train_step(const nbs::PredictorInput& input, const torch::Tensor& masks,
                    const nbs::PredictionLoss& loss) override {
    parameters_.requires_grad_(true);
    const auto value = loss(forward(input), masks);
    const auto gradient = torch::autograd::grad({value}, {parameters_})[0];
    parameters_ = (parameters_.detach() - 5 * gradient).detach();
    ++steps;
    return value.item<double>();
  }
  torch::Tensor logits(const nbs::PredictorInput& input) override { return forward(input).detach(); }
  void save(nbs::State& state) const override { state.write("parameters", parameters_); }
  void load(const nbs::State& state) override { parameters_ = state.read("parameters", {2}, torch::kFloat32).clone(); }

  std::int64_t steps = 0;

 private:
  torch::Tensor forward(const nbs::PredictorInput& input) const {
    return input.image.mean(1) * parameters_[0] + parameters_[1];
  }
  torch::Tensor parameters_ = torch::tensor({1.0F, -0.5F});
};

nbs::training::Settings settings_of_students() {
  auto settings = nbs::test::small_settings();
  settings.train.selection = nbs::config::Selection::last;
  settings.train.iterations = kTeacher;
  settings.train.student_iterations = kStudent;
  settings.fold_steps = 0.5;
  return settings;
}

struct StudentRun {
  std::vector<std::shared_ptr<ColorPredictor>> teachers;
  std::vector<std::shared_ptr<ColorPredictor>> students;
  std::vector<IterationReport> reports;

  StudentRun() {
    for (std::int64_t k = 0; k <= kWithMask; ++k) {
      teachers.push_back(std::make_shared<ColorPredictor>());
      students.push_back(std::make_shared<ColorPredictor>());
    }
  }
  nbs::training::Components components() const {
    nbs::training::Components components;
    components.predictor = teachers.front();
    components.folds = {teachers.begin() + 1, teachers.end()};
    components.students = {students.begin(), students.end()};
    return components;
  }
  TrainingResult run(
      const TrainingImages& images, const nbs::training::Settings& settings,
      const std::function<bool()>& interrupted = [] { return false; }) {
    Trainer trainer(images, components(), settings, 5);
    return trainer.run([this](const IterationReport& report) { reports.push_back(report); }, interrupted);
  }
};

TrainingImages images_of_students() {
  return small_images(16, kWithMask, kWithoutMask, 3);
}

// The model after the teachers' iterations alone.
nbs::training::Checkpoint teachers_of(const TrainingImages& images) {
  auto settings = settings_of_students();
  settings.train.student_iterations = 0;
  return *StudentRun().run(images, settings).best;
}

std::vector<PseudoLabels> labels_of(const TrainingImages& images, const nbs::training::Checkpoint& model,
                                    const std::vector<std::int64_t>& unlabeled) {
  const StudentRun made;
  Inference teachers(made.components(), {}, false, 16, model);
  return nbs::training::pseudo_labels(teachers, images, unlabeled);
}

bool same_model(const nbs::training::Checkpoint& a, const nbs::training::Checkpoint& b) {
  if (a.folds.size() != b.folds.size() || a.prior_log_odds != b.prior_log_odds) return false;
  for (std::size_t k = 0; k < a.folds.size(); ++k) {
    if (a.folds[k].left_out != b.folds[k].left_out || !same(a.folds[k].predictor, b.folds[k].predictor)) return false;
  }
  return same(a.predictor, b.predictor);
}

}  // namespace

TEST_CASE("a pseudo-label is what its teacher says from the threshold of the images that it was taught on") {
  const auto images = images_of_students();
  const auto model = teachers_of(images);
  const std::vector<std::int64_t> unlabeled = {3, 5, 6};
  const auto labels = labels_of(images, model, unlabeled);
  REQUIRE(labels.size() == 1 + kWithMask);
  for (std::size_t k = 0; k < labels.size(); ++k) {
    CAPTURE(k);
    const auto fold = static_cast<std::int64_t>(k) - 1;
    const auto& state = k == 0 ? model.predictor : model.folds[k - 1].predictor;
    const auto parameters = state.read("parameters", {2}, torch::kFloat32);
    const auto probability = [&](std::int64_t i) {
      return torch::sigmoid(images.images[i].mean(0) * parameters[0] + parameters[1]);
    };
    std::vector<nbs::evaluation::ScoredImage> taught;
    for (std::int64_t i = 0; i < kWithMask; ++i) {
      if (i == fold) continue;
      auto& image = taught.emplace_back();
      image.height = image.width = 16;
      const auto values = probability(i).contiguous();
      const auto mask = images.masks[i].contiguous();
      for (std::int64_t at = 0; at < 256; ++at) {
        image.probability.push_back(values.data_ptr<float>()[at]);
        image.mask.push_back(mask.data_ptr<float>()[at] > 0 ? 1 : 0);
      }
    }
    const double threshold = nbs::evaluation::threshold_by_f1(taught).threshold;
    auto views = unlabeled;
    if (fold >= 0) views.insert(views.begin(), fold);
    REQUIRE(labels[k].views == views);
    for (std::size_t v = 0; v < views.size(); ++v) {
      // Two ways to the same number may differ in its last digit.
      const auto wrong =
          (labels[k].masks[static_cast<std::int64_t>(v)].to(torch::kBool) != (probability(views[v]) >= threshold));
      const auto near = (probability(views[v]) - threshold).abs() < 1e-6;
      CHECK_FALSE((wrong & ~near).any().item<bool>());
    }
    REQUIRE(labels[k].anomalous_pixels.size() == views.size());
    for (std::size_t v = 0; v < views.size(); ++v)
      CHECK(labels[k].anomalous_pixels[v] == labels[k].masks[static_cast<std::int64_t>(v)].sum().item<std::int64_t>());
    CHECK(labels[k].masks.any().item<bool>());
    CHECK_FALSE(labels[k].masks.all().item<bool>());
  }
}

TEST_CASE("crops of students show unlabeled images with their pseudo-labels as often as the pipeline says") {
  auto images = images_of_students();
  // A color for each image, so that a crop tells where it is from.
  for (std::int64_t i = 0; i < images.count(); ++i)
    images.images[i].fill_(static_cast<float>(i) / 8);
  PseudoLabels pseudo;
  pseudo.views = {4, 6};
  pseudo.masks = torch::zeros({2, 16, 16}, torch::kUInt8);
  pseudo.masks[1].slice(0, 0, 8).fill_(1);
  pseudo.anomalous_pixels = {0, 128};
  nbs::config::BufferOptions options;
  options.batch = 400;
  options.crop = 16;
  for (const double share : {0.0, 0.25, 1.0}) {
    CAPTURE(share);
    options.pseudo_labeled = share;
    nbs::Random random(3);
    const LabeledViews labeled(images);
    const auto batch = nbs::training::draw_images({0, 2}, labeled, &pseudo, options, {}, random);
    std::int64_t unlabeled = 0;
    for (std::int64_t b = 0; b < options.batch; ++b) {
      const auto view = std::llround(batch.input.image[b].mean().item<double>() * 8);
      const double anomalous = batch.masks[b].sum().item<double>();
      if (view == 4 || view == 6) {
        ++unlabeled;
        CHECK(anomalous == (view == 6 ? 128 : 0));
      } else {
        CHECK((view == 0 || view == 2));
        CHECK(anomalous == 16);
      }
    }
    // Five deviations of a binomial distribution.
    CHECK(std::abs(static_cast<double>(unlabeled) - 400 * share) <= 5 * std::sqrt(400 * share * (1 - share)));
  }
}

TEST_CASE("crops around anomalous pixels are drawn of pseudo-labels, too") {
  auto images = images_of_students();
  PseudoLabels pseudo;
  pseudo.views = {4, 6};
  pseudo.masks = torch::zeros({2, 16, 16}, torch::kUInt8);
  pseudo.masks[0][15][15] = 1;
  pseudo.anomalous_pixels = {1, 0};
  nbs::config::BufferOptions options;
  options.batch = 50;
  options.crop = 4;
  options.pseudo_labeled = 1;
  options.anomalous_crops = 1;
  nbs::Random random(3);
  const LabeledViews labeled(images);
  const auto batch = nbs::training::draw_images({0, 2}, labeled, &pseudo, options, {}, random);
  CHECK(torch::equal(batch.masks.sum({1, 2}), torch::ones({50})));
}

TEST_CASE("students learn after their teachers, from what these say, and make the masks") {
  const auto images = images_of_students();
  StudentRun run;
  const auto result = run.run(images, settings_of_students());
  CHECK(result.iterations == kTeacher + kStudent);
  CHECK(run.teachers[0]->steps == kTeacher);
  CHECK(run.students[0]->steps == kStudent);
  for (std::size_t k = 1; k <= kWithMask; ++k) {
    CHECK(run.teachers[k]->steps == kTeacher / 2);
    CHECK(run.students[k]->steps == kStudent / 2);
  }
  REQUIRE(result.best.has_value());
  const auto& best = *result.best;
  CHECK(best.iteration == kTeacher + kStudent - 1);
  CHECK(same(best.predictor, nbs::test::saved(*run.students[0])));
  REQUIRE(best.folds.size() == kWithMask);
  for (std::size_t k = 0; k < kWithMask; ++k) {
    CHECK(best.folds[k].left_out == std::vector<std::int64_t>{static_cast<std::int64_t>(k)});
    CHECK(same(best.folds[k].predictor, nbs::test::saved(*run.students[k + 1])));
  }
  // Their loss is smoothed from its first value on.
  CHECK(run.reports[kTeacher].l_pred_smoothed == run.reports[kTeacher].l_pred);
  CHECK(run.reports.back().best == 1);
  // Nothing of before depends on them.
  const std::vector<IterationReport> first(run.reports.begin(), run.reports.begin() + kTeacher);
  auto settings = settings_of_students();
  settings.train.student_iterations = 0;
  StudentRun without;
  without.run(images, settings);
  CHECK(same(first, without.reports));
}

TEST_CASE("the balance of classes counts true masks and pseudo-labels by the share of their crops") {
  auto images = images_of_students();
  images.images[4].fill_(1);  // all of it as bright as anomalies are, so that pseudo-labels have a share of their own
  auto settings = settings_of_students();
  settings.train.balance = nbs::config::ClassBalance::balanced;
  settings.buffer.pseudo_labeled = 0.25;
  StudentRun run;
  const auto result = run.run(images, settings);
  auto of_teachers = settings;
  of_teachers.train.student_iterations = 0;
  const auto labels = labels_of(images, *StudentRun().run(images, of_teachers).best, {3, 4, 5, 6});
  const double share =
      0.75 * images.masks.mean().item<double>() + 0.25 * labels[0].masks.to(torch::kFloat64).mean().item<double>();
  REQUIRE(share > 1.5 * images.masks.mean().item<double>());
  CHECK(result.best->prior_log_odds == doctest::Approx(std::log(share / (1 - share))));
}

TEST_CASE("no mask of a labeled image has a part in what is said of it out of fold, not by way of a teacher either") {
  const auto images = images_of_students();
  const auto before = StudentRun().run(images, settings_of_students()).best;
  for (std::int64_t changed = 0; changed < kWithMask; ++changed) {
    CAPTURE(changed);
    auto other = images;
    other.masks = images.masks.clone();
    other.masks[changed] = 1 - other.masks[changed];
    const auto after = StudentRun().run(other, settings_of_students()).best;
    CHECK_FALSE(same(after->predictor, before->predictor));
    for (std::size_t k = 0; k < kWithMask; ++k) {
      CAPTURE(k);
      CHECK(same(after->folds[k].predictor, before->folds[k].predictor) == (static_cast<std::int64_t>(k) == changed));
    }
  }
}

TEST_CASE("a fold's student sees the image that it leaves out as it sees unlabeled ones") {
  auto settings = settings_of_students();
  settings.buffer.batch = 16;  // so that it is drawn
  auto images = images_of_students();
  const auto before = StudentRun().run(images, settings).best;
  images.images[1].mul_(0.5);
  const auto after = StudentRun().run(images, settings).best;
  CHECK_FALSE(same(after->folds[1].predictor, before->folds[1].predictor));
}

TEST_CASE("a run that is interrupted while students learn keeps its teachers' model") {
  const auto images = images_of_students();
  StudentRun run;
  const auto result = run.run(images, settings_of_students(), [&] { return run.reports.size() == kTeacher + 3; });
  CHECK(result.stop_reason == nbs::training::StopReason::interrupted);
  CHECK(run.students[0]->steps == 3);
  REQUIRE(result.best.has_value());
  CHECK(same_model(*result.best, teachers_of(images)));
}

TEST_CASE("a trainer that loads what another saved while students learn ends with the same bits") {
  const auto images = images_of_students();
  StudentRun whole;
  std::vector<std::string> saved;
  Trainer trainer(images, whole.components(), settings_of_students(), 5);
  const auto result = trainer.run([&](const IterationReport& report) { whole.reports.push_back(report); },
                                  [&] {
                                    nbs::State state;
                                    trainer.save(state);
                                    saved.push_back(nbs::training::to_safetensors(state));
                                    return false;
                                  });
  REQUIRE(saved.size() == kTeacher + kStudent);
  for (std::size_t iteration = kTeacher - 1; iteration < saved.size(); ++iteration) {
    CAPTURE(iteration);
    StudentRun rest;
    Trainer other(images, rest.components(), settings_of_students(), 5);
    other.load(nbs::training::from_safetensors(saved[iteration], "checkpoint"));
    nbs::State again;
    other.save(again);
    CHECK(nbs::training::to_safetensors(again) == saved[iteration]);
    const auto end =
        other.run([&](const IterationReport& report) { rest.reports.push_back(report); }, [] { return false; });
    CHECK(same(rest.reports, {whole.reports.begin() + static_cast<std::ptrdiff_t>(iteration), whole.reports.end()}));
    REQUIRE(end.best.has_value());
    CHECK(same_model(*end.best, *result.best));
  }
}

TEST_CASE("students learn from no more unlabeled images than they are to") {
  const auto images = images_of_students();
  auto settings = settings_of_students();
  const auto all = StudentRun().run(images, settings).best;
  settings.train.student_images = kWithoutMask;
  CHECK(same_model(*StudentRun().run(images, settings).best, *all));
  settings.train.student_images = 1;
  CHECK_FALSE(same_model(*StudentRun().run(images, settings).best, *all));
}

TEST_CASE("students without an unlabeled image are refused") {
  const auto images = small_images(16, kWithMask, 0, 3);
  CHECK_THROWS_WITH_AS(
      StudentRun().run(images, settings_of_students()),
      "train.student_iterations is 8, iterations of students that learn from unlabeled images, but all "
      "3 images are labeled; add images without masks, or set it to 0",
      nbs::Error);
}

TEST_CASE("students of a predictor that needs profiles are refused") {
  const auto images = images_of_students();
  nbs::test::SmallRun run;
  CHECK(nbs::test::error_text([&] { run.run(images, settings_of_students()); }) ==
        "train.student_iterations is 8, iterations of students that learn from images alone, but this predictor needs "
        "loss profiles; set it to 0");
}
