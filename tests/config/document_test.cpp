// SPDX-License-Identifier: Apache-2.0
#include "example.h"
#include "scratch.h"

using namespace nbs;
using config::Document;
using doctest::Contains;
using Texts = std::vector<std::string>;

namespace {

config::Pipeline resolved_file(const std::filesystem::path& file) {
  return config::resolve(Document::from_file(file), test::example_catalog());
}

Texts problems_of_file(const std::filesystem::path& file) {
  return test::problems_of([&] { resolved_file(file); });
}

}  // namespace

TEST_CASE("a file that cannot be opened is named") {
  CHECK(
      test::error_text([] { Document::from_file("none.toml"); }) ==
      "the pipeline file none.toml cannot be opened (No such file or directory); check that it exists and may be read");
  CHECK(test::error_text([] { Document::from_file("/"); }) ==
        "the pipeline file / cannot be opened: it is no regular file (but a folder); name a file");
}

TEST_CASE("a file overrides its base key by key, and lists as a whole") {
  const test::Scratch scratch;
  scratch.write("base.toml", std::string("name = \"base\"\nseed = 1\n[train]\npatches = 8\nminibatch = 4\n") +
                                 test::kGood + "[[postproc]]\nplugin = \"smooth\"\n[[postproc]]\nplugin = \"open\"\n");
  const auto file = scratch.write("sub/own.toml", "base = \"../base.toml\"\nseed = 2\n[train]\npatches = 16\n");
  auto pipeline = resolved_file(file);
  CHECK(pipeline.name == "base");
  CHECK(pipeline.seed == 2);
  CHECK(pipeline.train.options.patches == 16);
  CHECK(pipeline.train.options.minibatch == 4);
  CHECK(pipeline.postproc.size() == 2);
  pipeline = resolved_file(scratch.write("chain.toml", "base = \"base.toml\"\n[[postproc]]\nplugin = \"open\"\n"));
  REQUIRE(pipeline.postproc.size() == 1);
  CHECK(pipeline.postproc[0].plugin == "open");
  CHECK(resolved_file(scratch.write("bare.toml", "base = \"base.toml\"\npostproc = []\n")).postproc.empty());
}

TEST_CASE("of several bases the later wins, and the file over all of them") {
  const test::Scratch scratch;
  scratch.write("root.toml",
                std::string(test::kGood) + "[train]\npatches = 1\nminibatch = 1\niterations = 100\nwarmup = 1\n");
  scratch.write("a.toml", "base = \"root.toml\"\n[train]\npatches = 2\nminibatch = 2\niterations = 200\n");
  scratch.write("b.toml", "[train]\npatches = 3\nminibatch = 3\n");
  const auto file = scratch.write("own.toml", "base = [\"a.toml\", \"b.toml\"]\n[train]\npatches = 4\n");
  const auto train = resolved_file(file).train.options;
  CHECK(train.patches == 4);
  CHECK(train.minibatch == 3);
  CHECK(train.iterations == 200);
  CHECK(train.warmup == 1);
  // Turned round, a's values win over b's.
  CHECK(resolved_file(scratch.write("turned.toml", "base = [\"b.toml\", \"a.toml\"]\n")).train.options.minibatch == 2);
  // Two bases may share one of their own; an empty list is no base.
  scratch.write("b.toml", "base = \"root.toml\"\n[train]\nminibatch = 3\n");
  CHECK(resolved_file(file).train.options.minibatch == 3);
  CHECK(resolved_file(scratch.write("alone.toml", std::string("base = []\n") + test::kGood)).train.options.patches ==
        config::TrainOptions().patches);
}

TEST_CASE("bases that close a circle are refused where the circle closes") {
  const test::Scratch scratch;
  const auto place = [&](const char* name, const char* where) { return (scratch / name).string() + where; };
  const auto self = scratch.write("self.toml", "base = \"self.toml\"\n");
  REQUIRE(problems_of_file(self).size() == 1);
  CHECK(test::text(problems_of_file(self)[0]) == Contains((place("self.toml", ":1:1: base = ")).c_str()));
  CHECK(test::text(problems_of_file(self)[0]) == Contains("closes a circle: that file is based on this one"));
  const auto a = scratch.write("a.toml", "base = \"b.toml\"\n");
  scratch.write("b.toml", "seed = 1\nbase = [\"c.toml\", \"a.toml\"]\n");
  scratch.write("c.toml", "seed = 2\n");
  REQUIRE(problems_of_file(a).size() == 1);
  CHECK(test::text(problems_of_file(a)[0]) == Contains((place("b.toml", ":2:19: base = ")).c_str()));
  // A circle that the file itself is not part of.
  const auto outside = scratch.write("outside.toml", "base = \"d.toml\"\n");
  scratch.write("d.toml", "base = \"e.toml\"\n");
  scratch.write("e.toml", "base = \"d.toml\"\n");
  REQUIRE(problems_of_file(outside).size() == 1);
  CHECK(test::text(problems_of_file(outside)[0]) == Contains(place("e.toml", ":1:1: base = ").c_str()));
  // Also by a relative path that leads up and down again.
  const auto relative = std::filesystem::relative(a);
  REQUIRE(relative.is_relative());
  REQUIRE(problems_of_file(relative).size() == 1);
  CHECK(test::text(problems_of_file(relative)[0]) == Contains("b.toml:2:19: base = "));
}

TEST_CASE("a base that is missing, broken or no name is refused at its place") {
  const test::Scratch scratch;
  const auto file = scratch.write("own.toml", "seed = 1\nbase = \"none.toml\"\n");
  CHECK(problems_of_file(file) ==
        Texts{file.string() + ":2:1: the base file " + (scratch / "none.toml").string() + " cannot be opened"});
  scratch.write("none.toml", "seed = = 1\n");
  REQUIRE(problems_of_file(file).size() == 1);
  CHECK(test::text(problems_of_file(file)[0]) == Contains((scratch / "none.toml:1:8: this is not TOML").c_str()));
  for (const char* base : {"3", "true", "[3]", "[[\"none.toml\"]]", "{ file = \"none.toml\" }"}) {
    CAPTURE(base);
    const auto problems = problems_of_file(scratch.write("bad.toml", std::string("base = ") + base + "\n"));
    REQUIRE(problems.size() == 1);
    CHECK(test::text(problems[0]) == Contains("base must name another pipeline file, as a text, or several in a list"));
  }
}

TEST_CASE("a problem in a base is shown in the base, one in the file in the file") {
  const test::Scratch scratch;
  const auto base = scratch.write("base.toml", std::string(test::kGood) + "[train]\npatches = 0\nwarmup = 0\n");
  const auto file = scratch.write("own.toml", "base = \"base.toml\"\n\n[train]\nminibatch = 0\n");
  CHECK(problems_of_file(file) == Texts{base.string() + ":8:1: patches must be at least 1.0, but is 0",
                                        file.string() + ":4:1: minibatch must be at least 1.0, but is 0"});
}

TEST_CASE("another plugin than the base's drops the base's options, the same one keeps them") {
  const test::Scratch scratch;
  scratch.write("base.toml",
                "[sampler]\nplugin = \"walk\"\nstep = 9\njump = true\n[predictor]\nplugin = \"mean\"\n"
                "[autoencoder]\nplugin = \"linear\"\n");
  scratch.write("still.toml", "base = \"base.toml\"\n[sampler]\nplugin = \"still\"\n");
  const auto still = resolved_file(scratch / "still.toml");
  CHECK(still.sampler->plugin == "still");
  CHECK(test::value_of(*still.sampler, "step") == Value{std::int64_t{4}});  // the default, not the walk's 9
  const auto same =
      resolved_file(scratch.write("same.toml", "base = \"base.toml\"\n[sampler]\nplugin = \"walk\"\njump = false\n"));
  CHECK(test::value_of(*same.sampler, "step") == Value{std::int64_t{9}});
  CHECK(test::value_of(*same.sampler, "jump") == Value{false});
  const auto options = resolved_file(scratch.write("options.toml", "base = \"base.toml\"\n[sampler]\nstep = 5\n"));
  CHECK(options.sampler->plugin == "walk");
  CHECK(test::value_of(*options.sampler, "step") == Value{std::int64_t{5}});
  // Back again over three files: nothing of the first comes back.
  const auto back = resolved_file(scratch.write("back.toml", "base = \"still.toml\"\n[sampler]\nplugin = \"walk\"\n"));
  CHECK(test::value_of(*back.sampler, "step") == Value{std::int64_t{4}});
  CHECK(test::value_of(*back.sampler, "jump") == Value{false});
}

TEST_CASE("paths are relative to the file they are written in, overrides to the current folder") {
  const test::Scratch scratch;
  std::filesystem::create_directories(scratch / "lib/images");
  scratch.write(
      "lib/base.toml",
      std::string("plugin_path = [\"plugins\", \"/opt/x\"]\n[data]\nformat = \"folder\"\nroot = \"images\"\n") +
          test::kGood);
  const auto file = scratch.write("runs/own.toml", "base = \"../lib/base.toml\"\n");
  const auto pipeline = resolved_file(file);
  CHECK(pipeline.data.options.root == (scratch / "lib/images").string());
  CHECK(pipeline.plugin_path == Texts{(scratch / "lib/plugins").string(), "/opt/x"});
  auto document = Document::from_file(file);
  document.apply("data.root=.");
  CHECK(config::resolve(document, test::example_catalog()).data.options.root ==
        (std::filesystem::current_path() / ".").lexically_normal().string());
}

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
