// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/model.h"

#include <filesystem>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/training/inference.h"

#include "error_text.h"
#include "fakes.h"
#include "scratch.h"

using doctest::Contains;
using nbs::test::error_text;
using nbs::training::Model;
using nbs::training::ModelHashes;
using nbs::training::read_models;
using nbs::training::write_models;

namespace {

Model some_model() {
  nbs::test::LinearAutoencoder autoencoder(1);
  Model model;
  for (int l = 0; l < 2; ++l) {
    nbs::training::Cycle cycle;
    for (int t = 0; t < 3; ++t) {
      autoencoder.train_step(nbs::test::whole_of(nbs::test::small_images(8, 1, 0, 1)));
      cycle.snapshots.push_back(nbs::training::take_snapshot(autoencoder));
      cycle.reference.push_back(torch::full({4, 4}, 0.1 * t + l));
    }
    model.cycles.push_back(cycle);
  }
  model.predictor.write("weight", torch::full({2}, 0.25));
  model.sampler.emplace();
  model.sampler->write_integer("updates", 4);
  for (std::int64_t k = 0; k < 2; ++k) {
    model.folds.emplace_back().left_out = {k, k + 2};
    model.folds.back().predictor.write("weight", torch::full({2}, 0.5 + static_cast<double>(k)));
  }
  model.prior_log_odds = -4.5;
  return model;
}

}  // namespace

TEST_CASE("a model written to a folder comes back with every bit") {
  const nbs::test::Scratch scratch;
  const auto model = some_model();
  const auto hashes = write_models(scratch / "model", {model});
  CHECK(nbs::test::entries_of(scratch / "model") ==
        std::vector<std::string>{"autoencoders.safetensors", "folds.safetensors", "predictor.safetensors",
                                 "prior.safetensors", "sampler.safetensors"});
  CHECK(hashes.size() == 5);
  for (const auto& [name, hash] : hashes)
    CHECK(hash == nbs::file_sha256(scratch / "model" / name));
  const auto back = read_models(scratch / "model", hashes).at(0);
  CHECK(nbs::test::same(back.predictor, model.predictor));
  CHECK(nbs::test::same(back.sampler.value(), *model.sampler));
  CHECK(back.prior_log_odds == model.prior_log_odds);
  REQUIRE(back.folds.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(back.folds[k].left_out == model.folds[k].left_out);
    CHECK(nbs::test::same(back.folds[k].predictor, model.folds[k].predictor));
  }
  REQUIRE(back.cycles.size() == 2);
  for (std::size_t l = 0; l < 2; ++l) {
    const auto& read = back.cycles[l];
    const auto& written = model.cycles[l];
    REQUIRE(read.snapshots.size() == 3);
    REQUIRE(read.reference.size() == 3);
    for (std::size_t t = 0; t < 3; ++t) {
      CHECK(torch::equal(read.reference[t], written.reference[t]));
      REQUIRE(read.snapshots[t]->size() == written.snapshots[t]->size());
      for (std::size_t i = 0; i < read.snapshots[t]->size(); ++i)
        CHECK(torch::equal((*read.snapshots[t])[i], (*written.snapshots[t])[i]));
    }
  }
  // Writing it again changes nothing.
  CHECK(write_models(scratch / "again", {back}) == hashes);
}

TEST_CASE("a model of a predictor alone has neither autoencoders nor a sampler") {
  const nbs::test::Scratch scratch;
  Model model;
  model.predictor.write_integer("p", 1);
  const auto hashes = write_models(scratch / "model", {model});
  CHECK(hashes.size() == 1);
  const auto back = read_models(scratch / "model", hashes).at(0);
  CHECK(back.cycles.empty());
  CHECK_FALSE(back.sampler.has_value());
  CHECK(nbs::test::same(back.predictor, model.predictor));
}

TEST_CASE("a model file that is missing, damaged or of another run is refused with its name and both hashes") {
  const nbs::test::Scratch scratch;
  const auto folder = scratch / "model";
  const auto hashes = write_models(folder, {some_model()});
  auto other = some_model();
  other.predictor = nbs::State();
  other.predictor.write("weight", torch::full({2}, 0.5));
  const auto others = write_models(scratch / "other", {other});
  const auto file = folder / "predictor.safetensors";
  const auto bytes = nbs::read_file(file);
  const auto refusal = [&] { return error_text([&] { read_models(folder, hashes); }); };
  REQUIRE(refusal() == "no error");
  std::filesystem::copy_file(scratch / "other" / "predictor.safetensors", file,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(refusal() ==
        nbs::test::text("the model file " + file.string() + " has the SHA-256 " + others.at("predictor.safetensors") +
                        ", but the run's result.json says " + hashes.at("predictor.safetensors") +
                        ": it is damaged, or of another run; copy it again, or train again"));
  auto flipped = bytes;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  nbs::write_file(file, flipped);
  CHECK(refusal() == Contains("has the SHA-256"));
  nbs::write_file(file, bytes.substr(0, bytes.size() / 2));
  CHECK(refusal() == Contains("has the SHA-256"));
  std::filesystem::remove(file);
  CHECK(refusal() == Contains("cannot be opened"));
  CHECK(error_text([&] { read_models(folder, {}); }) == Contains("has no predictor.safetensors"));
}

TEST_CASE("the models of members are in folders of their own, and come back in their order with what each left out") {
  const nbs::test::Scratch scratch;
  std::vector<nbs::training::Model> models;
  for (std::int64_t m = 0; m < 11; ++m) {
    if (m == 3) continue;  // one that has diverged leaves a gap
    models.push_back(some_model());
    models.back().member = m;
    models.back().left_out = {m, m + 20};
    models.back().prior_log_odds = static_cast<double>(m);
  }
  const auto hashes = write_models(scratch / "model", models);
  CHECK(hashes.count("member10/predictor.safetensors") == 1);
  CHECK(hashes.count("predictor.safetensors") == 0);
  const auto back = read_models(scratch / "model", hashes);
  REQUIRE(back.size() == models.size());
  for (std::size_t m = 0; m < back.size(); ++m) {
    CHECK(back[m].member == models[m].member);
    CHECK(back[m].left_out == models[m].left_out);
    CHECK(back[m].prior_log_odds == models[m].prior_log_odds);
    CHECK(nbs::test::same(back[m].predictor, models[m].predictor));
    CHECK(back[m].cycles.size() == models[m].cycles.size());
    CHECK(back[m].folds.size() == models[m].folds.size());
  }
  CHECK(write_models(scratch / "again", back) == hashes);
}

TEST_CASE("a model that is a part of a state comes back whole") {
  auto model = some_model();
  model.left_out = {2};
  model.member = 4;
  nbs::State state;
  nbs::training::StateWriter writer(state);
  nbs::training::write_model(writer, "of.somebody", model);
  writer.integer("other", 1);
  const nbs::training::StateReader reader(state);
  const auto back = nbs::training::read_model(reader, "of.somebody");
  const nbs::test::Scratch scratch;
  CHECK(write_models(scratch / "back", {back}) == write_models(scratch / "model", {model}));
  CHECK(error_text([&] { nbs::training::read_model(reader, "of.nobody"); }) == Contains("of.nobody"));
}

TEST_CASE("autoencoders of anybody's making are refused where counts and tensors do not agree") {
  const nbs::test::Scratch scratch;
  const auto refusal = [&](const std::function<void(nbs::State&)>& fill) {
    nbs::State state;
    fill(state);
    std::filesystem::create_directories(scratch / "model");
    const auto bytes = nbs::training::to_safetensors(state);
    nbs::write_file(scratch / "model" / "autoencoders.safetensors", bytes);
    const auto predictor = nbs::training::to_safetensors({});
    nbs::write_file(scratch / "model" / "predictor.safetensors", predictor);
    return error_text([&] {
      read_models(scratch / "model", {{"autoencoders.safetensors", nbs::sha256(bytes)},
                                      {"predictor.safetensors", nbs::sha256(predictor)}});
    });
  };
  CHECK(refusal([](nbs::State& s) { s.write_integer("cycles", 0); }) == "no error");
  CHECK(refusal([](nbs::State&) {}) == Contains("\"cycles\" is not in"));
  CHECK(refusal([](nbs::State& s) { s.write_integer("cycles", std::int64_t{1} << 60); }) ==
        Contains("0 to 1 is possible"));
  CHECK(refusal([](nbs::State& s) { s.write_integer("cycles", -1); }) == Contains("is -1, but"));
  CHECK(refusal([](nbs::State& s) { s.write("cycles", torch::zeros({2})); }) == Contains("is Float, but Long"));
  CHECK(refusal([](nbs::State& s) {
          s.write_integer("cycles", 0);
          s.write_integer("more", 0);
        }) == Contains("\"more\""));
}

TEST_CASE("a model of another pipeline is refused before a mask is made of it") {
  const auto images = nbs::test::small_images(16, 2, 1, 3);
  const auto settings = nbs::test::small_settings();
  nbs::test::SmallRun run;
  const Model model = *run.run(images, settings).best;
  const auto refusal = [&](const std::function<void(Model&)>& change) {
    auto changed = model;
    change(changed);
    return error_text([&] { nbs::training::Inference(run.components(), settings.profile, false, 16, changed); });
  };
  const auto set_of = [](const std::vector<torch::Tensor>& tensors) {
    return std::make_shared<const std::vector<torch::Tensor>>(tensors);
  };
  REQUIRE(refusal([](Model&) {}) == "no error");
  CHECK(refusal([](Model& m) { m.cycles[0].snapshots.pop_back(); }) ==
        "cycle 0 of the model's autoencoder has 2 parameter sets, but profile.length is 3; it belongs to another "
        "pipeline, so run this one again");
  CHECK(refusal([&](Model& m) {
          m.cycles[0].snapshots[1] = set_of({torch::zeros({3, 1, 1})});
        }) == Contains("has 1 tensors, but the pipeline's has 2"));
  // It would fit by broadcasting.
  CHECK(refusal([&](Model& m) {
          m.cycles[0].snapshots[1] = set_of({torch::zeros({1}), torch::zeros({3, 1, 1})});
        }) == Contains("a tensor of shape [1], but the pipeline's is [3, 1, 1]"));
  CHECK(refusal([](Model& m) {
          m.cycles[0].reference = {torch::ones({16, 16})};
        }) == Contains("1 reference maps for 3"));
  CHECK(refusal([](Model& m) {
          m.cycles[0].reference.assign(3, torch::ones({1, 16}));
        }) == Contains("of shape [1, 16]"));
  CHECK(refusal([](Model& m) {
          m.predictor = nbs::State();
          m.predictor.write("parameters", torch::zeros({3}));
        }) == Contains("has the shape [3], but [2] is wanted"));
}
