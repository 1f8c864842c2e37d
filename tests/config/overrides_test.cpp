// SPDX-License-Identifier: Apache-2.0
// Document::apply(): what --set says.
#include "nbs/config/sweep.h"

#include "example.h"

using namespace nbs;
using config::Document;
using doctest::Contains;
using Texts = std::vector<std::string>;

TEST_CASE("overrides: numbers, lists, texts with and without quotes, entries of lists") {
  auto document = Document::from_text(
      std::string(test::kGood) + "[[postproc]]\nplugin = \"smooth\"\nsigma = 2\n[[postproc]]\nplugin = \"open\"\n",
      "p.toml");
  document.apply(Texts{"seed=7", "name=two words = one", "train.alpha=0.25", "augment.flip=false",
                       "sampler.start=\"corner\"", "autoencoder.channels=[1, 2]", "autoencoder.channels.1=5",
                       "postproc.0.sigma=3", "postproc.1.radius=4", "postproc.0.label=a # b",
                       "experiment.dataset=mvtec/bottle"});
  const auto pipeline = config::resolve(document, test::example_catalog());
  CHECK(pipeline.seed == 7);
  CHECK(pipeline.name == "two words = one");
  CHECK(pipeline.train.options.alpha == 0.25);
  CHECK_FALSE(pipeline.augment.options.flip);
  CHECK(pipeline.experiment.options.dataset == "mvtec/bottle");
  CHECK(test::value_of(*pipeline.sampler, "start") == Value{std::string("corner")});
  CHECK(test::value_of(*pipeline.autoencoder, "channels") == Value{std::vector<std::int64_t>{1, 5}});
  CHECK(test::value_of(pipeline.postproc[0], "sigma") == Value{3.0});
  CHECK(test::value_of(pipeline.postproc[0], "label") == Value{std::string("a # b")});
  CHECK(test::value_of(pipeline.postproc[1], "radius") == Value{std::int64_t{4}});
}

TEST_CASE("an override that chooses a plugin drops the options of the one before, never other overrides") {
  const std::string good =
      "[sampler]\nplugin = \"walk\"\nstep = 9\njump = true\n[autoencoder]\nplugin = \"linear\"\n[predictor]\nplugin = "
      "\"mean\"\n";
  auto pipeline = test::resolved(good, {"sampler.plugin=still"});
  CHECK(test::value_of(*pipeline.sampler, "step") == Value{std::int64_t{4}});
  for (const Texts& overrides :
       {Texts{"sampler.plugin=still", "sampler.step=2"}, Texts{"sampler.step=2", "sampler.plugin=still"}}) {
    pipeline = test::resolved(good, overrides);
    CHECK(pipeline.sampler->plugin == "still");
    CHECK(test::value_of(*pipeline.sampler, "step") == Value{std::int64_t{2}});
  }
  pipeline = test::resolved(good, {"sampler.plugin=walk"});
  CHECK(test::value_of(*pipeline.sampler, "step") == Value{std::int64_t{9}});
}

TEST_CASE("an override may make sections, and quotes keys with dots in them") {
  auto document = Document::from_text("", "p.toml");
  document.apply("sweep.zip.\"data.split_seed\"=[0, 1]");
  const auto* const zip = document.root().find("sweep")->find("zip");
  REQUIRE(zip->table.size() == 1);
  CHECK(zip->table[0].first == "data.split_seed");
  CHECK(zip->table[0].second.array.size() == 2);
}

TEST_CASE("a malformed override is refused with what it said") {
  const auto problem = [](const std::string& text) {
    const auto problems = test::problems_in(std::string(test::kGood) + "[[postproc]]\nplugin = \"open\"\n", {text});
    REQUIRE(problems.size() == 1);
    return problems[0];
  };
  const std::string form = ": an override is written NAME=VALUE, for example train.iterations=100";
  CHECK(problem("train.iterations") == "--set train.iterations" + form);
  CHECK(problem("=3") == "--set =3" + form);
  CHECK(problem("postproc.1.radius=2") ==
        "--set postproc.1.radius=2: \"1\" does not name one of the 1 entries, which are numbered from 0");
  CHECK(problem("postproc.first.radius=2") ==
        "--set postproc.first.radius=2: \"first\" does not name one of the 1 entries, which are numbered from 0");
  CHECK(problem("sampler.plugin.x=2") == "--set sampler.plugin.x=2: \"x\" is below something that is no table");
  CHECK(problem("train.itertions=3") ==
        "--set train.itertions=3: [train] has no option \"itertions\"; did you mean \"iterations\"?");
  CHECK(problem("train=3") == "--set train=3: train must be a table: write [train]");
  CHECK(problem("tarin.iterations=3") ==
        "--set tarin.iterations=3: a pipeline has no section or key \"tarin\"; did you mean \"train\"?");
}

TEST_CASE("overrides that would do nothing or cannot be meant are refused") {
  const auto refusal = [](const std::string& text) {
    return test::error_text([&] { test::resolved(test::kGood, {text}); });
  };
  CHECK(
      refusal("base=other.toml") ==
      "--set base=other.toml: base cannot be overridden, as bases are read before overrides are applied; write a file "
      "with that base and give its name instead");
  CHECK(refusal("base.0=other.toml") == Contains("base cannot be overridden"));
  CHECK(refusal("train.=3") == "--set train.=3: the name \"train.\" has an empty part; write it like train.iterations");
  CHECK(refusal(".seed=3") == Contains("has an empty part"));
  CHECK(refusal("train..patches=3") == Contains("has an empty part"));
  CHECK(refusal("=3") == Contains("an override is written NAME=VALUE"));
  CHECK(refusal("\"\"=3") == Contains("has an empty part"));
  CHECK(refusal("train.\"patches=3") == Contains("has a quote that is not closed"));
  CHECK(refusal("name=\xff\xfe") == "--set name=\\xff\\xfe: an override must be UTF-8");
}

TEST_CASE("paths in overrides are relative to the current folder, however they are spelled") {
  const auto here = std::filesystem::current_path();
  const auto resolved = [&](const std::string& text) {
    auto document =
        Document::from_text("plugin_path = [\"/a\", \"b\"]\n" + std::string(test::kGood), "/elsewhere/p.toml");
    document.apply(text);
    // The images are not looked for.
    return config::resolve(config::expand(document).front().document, test::example_catalog(),
                           config::Purpose::predict);
  };
  const auto expected = (here / "x").string();
  for (const char* text : {"data.root=x", "\"data\".root=x", "data={root=\"x\"}",
                           "sweep.grid.\"data.root\"=[\"x\", \"/y\"]", "sweep.grid={\"data.root\"=[\"x\"]}"}) {
    CAPTURE(text);
    CHECK(resolved(text).data.options.root == expected);
  }
  CHECK(resolved("plugin\"\"_path=[\"x\"]").plugin_path == Texts{expected});
  CHECK(resolved("sweep.zip.plugin_path=[[\"x\"]]").plugin_path == Texts{expected});
  // What the override leaves alone stays relative to the file.
  CHECK(resolved("plugin_path.0=x").plugin_path == Texts{expected, "/elsewhere/b"});
  CHECK(resolved("experiment.dataset=x").experiment.options.dataset == "x");
  CHECK(resolved("data.root=").data.options.root.empty());
}

TEST_CASE("an override that is more than one line of TOML is a text") {
  auto document = Document::from_text(test::kGood, "p.toml");
  document.apply("experiment.method=1\nname = 2");
  CHECK(document.find("experiment.method")->scalar == Value{std::string("1\nname = 2")});
  CHECK(document.find("name") == nullptr);
}
