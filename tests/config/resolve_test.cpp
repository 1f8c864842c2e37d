// SPDX-License-Identifier: Apache-2.0
#include "example.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;
using test::problems_in;
using Texts = std::vector<std::string>;

TEST_CASE("what is no TOML is refused with line and column") {
  CHECK(test::error_text([] { test::resolved("name = \"a\"\nseed = = 3\n"); }) ==
        Contains("p.toml:2:8: this is not TOML: "));
  CHECK(test::error_text([] { test::resolved("seed = 1\nseed = 2\n"); }) == Contains("p.toml:2:"));
  CHECK(test::error_text([] { test::resolved("name = \"a\n"); }) == Contains("p.toml:1:"));
}

TEST_CASE("every unknown name has its place and the nearest known one") {
  const std::string good = test::kGood;
  CHECK(problems_in("sede = 3\n" + good) ==
        Texts{"p.toml:1:1: a pipeline has no section or key \"sede\"; did you mean \"seed\"?"});
  CHECK(problems_in(good + "[trian]\n") ==
        Texts{"p.toml:7:2: a pipeline has no section or key \"trian\"; did you mean \"train\"?"});
  CHECK(problems_in(good + "[train]\nseconds = 1\n  itertions = 3\n") ==
        Texts{"p.toml:8:1: [train] has no option \"seconds\"",
              "p.toml:9:3: [train] has no option \"itertions\"; did you mean \"iterations\"?"});
  CHECK(problems_in(good + "[train]\n\"\" = 3\n").size() == 1);
  CHECK(problems_in("[sampler]\nplugin = \"walk\"\nsteps = 3\n[predictor]\nplugin = \"mean\"\nwidth = 1\n") ==
        Texts{"p.toml:3:1: the sampler \"walk\" has no option \"steps\"; did you mean \"step\"?",
              "p.toml:6:1: the predictor \"mean\" has no option \"width\"; it has no options"});
}

TEST_CASE("an unknown plugin is refused at its place, with near names of its kind and where it was looked for") {
  const auto problems = problems_in("[sampler]\nplugin = \"wlak\"\n[predictor]\nplugin = \"walk\"\n");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] ==
        "p.toml:2:1: there is no sampler \"wlak\"; did you mean \"walk\"?\n  known: walk, still\n  searched: "
        "/opt/plugins");
  CHECK(problems[1] == "p.toml:4:1: there is no predictor \"walk\"\n  known: mean\n  searched: /opt/plugins");
}

TEST_CASE("wrong types are refused with both types and the value") {
  const auto problem = [](const std::string& section, const std::string& line) {
    const auto problems = problems_in("[predictor]\nplugin = \"mean\"\n[" + section + "]\n" + line + "\n");
    REQUIRE(problems.size() == 1);
    return problems[0];
  };
  CHECK(problem("train", "iterations = 1.5") == "p.toml:4:1: iterations must be of type integer, but is the real 1.5");
  CHECK(problem("train", "iterations = \"9\"") ==
        "p.toml:4:1: iterations must be of type integer, but is the text \"9\"");
  CHECK(problem("train", "alpha = true") == "p.toml:4:1: alpha must be of type real, but is the boolean true");
  CHECK(problem("augment", "flip = 1") == "p.toml:4:1: flip must be of type boolean, but is the integer 1");
  CHECK(problem("train", "iterations = 2020-01-01") ==
        "p.toml:4:1: iterations must be of type integer, but is the text \"2020-01-01\"");
  CHECK(problem("data", "anomalous_labels = 2") ==
        "p.toml:4:1: anomalous_labels must be of type list of integers, but is the integer 2");
  CHECK(problem("data", "anomalous_labels = [2.5]") ==
        "p.toml:4:1: anomalous_labels must be of type list of integers, but is the list of reals [2.5]");
  CHECK(problem("data", "anomalous_labels = [1, \"a\"]") ==
        "p.toml:4:1: anomalous_labels must be of type list of integers");
  CHECK(problem("data", "anomalous_labels = [[1]]") == "p.toml:4:1: anomalous_labels must be of type list of integers");
  CHECK(problem("train", "iterations.x = 1") == "p.toml:4:1: iterations must be of type integer");
}

TEST_CASE("what has the wrong form as a whole is refused with the form that is wanted") {
  const auto problem = [](const std::string& head) {
    const auto problems = problems_in(head + "\n[predictor]\nplugin = \"mean\"\n");
    REQUIRE(problems.size() == 1);
    return problems[0];
  };
  CHECK(problem("train = 3") == "p.toml:1:1: train must be a table: write [train]");
  CHECK(problem("name = 3") == "p.toml:1:1: name must be a text");
  CHECK(problem("seed = -1") == "p.toml:1:1: seed must be an integer of at least 0");
  CHECK(problem("seed = 0.5") == "p.toml:1:1: seed must be an integer of at least 0");
  CHECK(problem("plugin_path = \"here\"") == "p.toml:1:1: plugin_path must be a list of folders");
  CHECK(problem("plugin_path = [1]") == "p.toml:1:1: plugin_path must be a list of folders");
  CHECK(problem("[postproc]\nplugin = \"open\"") ==
        "p.toml:1:2: postproc must be a list of tables: write [[postproc]]");
  CHECK(problem("[[postproc]]\nradius = 2") == "p.toml:1:1: [postproc] needs plugin = \"…\"");
  CHECK(problem("sampler = \"walk\"") == "p.toml:1:1: [sampler] needs plugin = \"…\"");
  CHECK(problem("[sampler]\nplugin = 3") == "p.toml:2:1: [sampler] needs plugin = \"…\"");
}

TEST_CASE("numbers out of range and texts that are no choice are refused with the limit and the value") {
  const std::string good = test::kGood;
  CHECK(problems_in(good, {"sampler.step=0"}) == Texts{"--set sampler.step=0: step must be at least 1, but is 0"});
  CHECK(problems_in(good, {"sampler.step=65"}) == Texts{"--set sampler.step=65: step must be at most 64, but is 65"});
  CHECK(problems_in(good, {"autoencoder.channels=[8, 0]"}) ==
        Texts{"--set autoencoder.channels=[8, 0]: channels must be at least 1, but is [8, 0]"});
  CHECK(problems_in(good, {"train.alpha=nan"}) == Texts{"--set train.alpha=nan: alpha must be a number, but is nan"});
  CHECK(problems_in(good, {"sampler.start=edge"}) ==
        Texts{"--set sampler.start=edge: start must be one of \"center\", \"corner\", but is \"edge\""});
  CHECK(problems_in(good, {"autoencoder.inputs=[\"image\", \"mask\"]"}) ==
        Texts{"--set autoencoder.inputs=[\"image\", \"mask\"]: inputs must be one of \"image\", \"loss\", but is "
              "\"mask\""});
  // The limits themselves are allowed.
  CHECK(problems_in(good, {"sampler.step=1"}).empty());
  CHECK(problems_in(good, {"sampler.step=64"}).empty());
}

TEST_CASE("all problems are reported at once, in the order of the file") {
  const Texts problems = problems_in(
      "seed = -1\n[postproc]\n[train]\niterations = 0\npatience = \"a\"\n[sampler]\nplugin = \"walk\"\nstep = 99\nfoo "
      "= 1\n");
  REQUIRE(problems.size() == 7);
  const char* const starts[] = {"p.toml:1:1: seed",       "p.toml:1:1: there is no [predictor]",
                                "p.toml:2:2: postproc",   "p.toml:4:1: iterations",
                                "p.toml:5:1: patience",   "p.toml:8:1: step",
                                "p.toml:9:1: the sampler"};
  for (std::size_t i = 0; i < problems.size(); ++i)
    CHECK(test::text(problems[i]) == Contains(starts[i]));
  // what() holds them all, a line each.
  std::string joined;
  for (const auto& problem : problems)
    joined += (joined.empty() ? "" : "\n") + problem;
  CHECK(joined.find('\n') != std::string::npos);
  CHECK(test::error_text([] { test::resolved("seed = -1\n[predictor]\nplugin = \"meen\"\n"); }) ==
        Contains("seed must be an integer of at least 0\np.toml:3:1: there is no predictor"));
}

TEST_CASE("what is not written has its default, and an integer does for a real") {
  const auto pipeline =
      test::resolved(std::string(test::kGood) + "[train]\nalpha = 2\n[[postproc]]\nplugin = \"smooth\"\nsigma = 3\n");
  CHECK(pipeline.name == "p");
  CHECK(pipeline.seed == 0);
  CHECK(pipeline.train.options.alpha == 2.0);
  CHECK(pipeline.train.options.iterations == config::TrainOptions().iterations);
  CHECK(test::value_of(*pipeline.sampler, "start") == Value{std::string("center")});
  REQUIRE(pipeline.postproc.size() == 1);
  CHECK(test::value_of(pipeline.postproc[0], "sigma") == Value{3.0});
  CHECK(pipeline.postproc[0].place.text() == "p.toml:9:1");
}

TEST_CASE("an empty list is of every list type") {
  const auto pipeline =
      test::resolved(test::kGood, {"autoencoder.rates=[]", "autoencoder.inputs=[]", "autoencoder.channels=[]"});
  CHECK(test::value_of(*pipeline.autoencoder, "rates") == Value{std::vector<double>{}});
  CHECK(test::value_of(*pipeline.autoencoder, "inputs") == Value{Texts{}});
  CHECK(test::value_of(*pipeline.autoencoder, "channels") == Value{std::vector<std::int64_t>{}});
  CHECK(test::value_of(*test::resolved(test::kGood, {"autoencoder.rates=[1, 0.5]"}).autoencoder, "rates") ==
        Value{std::vector<double>{1, 0.5}});
}

TEST_CASE("the plugin \"none\" takes a section out, but a pipeline needs its predictor") {
  const auto pipeline = test::resolved(test::kGood, {"sampler.plugin=none", "autoencoder.plugin=none"});
  CHECK_FALSE(pipeline.sampler);
  CHECK_FALSE(pipeline.autoencoder);
  CHECK(problems_in(test::kGood, {"predictor.plugin=none"}) ==
        Texts{"p.toml:5:2: there is no [predictor]; name one with plugin = \"…\""});
  CHECK(problems_in("seed = 1\n") == Texts{"p.toml:1:1: there is no [predictor]; name one with plugin = \"…\""});
}

TEST_CASE("a chain of postprocessors alone needs no predictor") {
  const auto document = config::Document::from_text("[[postproc]]\nplugin = \"open\"\n", "p.toml");
  CHECK(config::resolve(document, test::example_catalog(), config::Purpose::postprocess).postproc.size() == 1);
  CHECK(test::problems_of([&] { config::resolve(document, test::example_catalog()); }).size() == 1);
}

TEST_CASE("masking new images needs a predictor, but neither the run's data nor options that agree about training") {
  const std::string gone = "[data]\nformat = \"mvtec\"\nroot = \"/nowhere/at/all\"\n[profile]\npatch_size = 999\n";
  const auto problems = [](const std::string& text) {
    return test::problems_of([&] {
      config::resolve(config::Document::from_text(text, "p.toml"), test::example_catalog(), config::Purpose::predict);
    });
  };
  CHECK(problems(test::kGood + gone).empty());
  CHECK(problems(gone) == Texts{"p.toml:1:1: there is no [predictor]; name one with plugin = \"…\""});
}

TEST_CASE("folders of plugins are known before the rest is checked") {
  const auto document =
      config::Document::from_text("plugin_path = [\"/a\", \"b\"]\n[predictor]\nplugin = 3\n", "/x/p.toml");
  CHECK(config::plugin_path_of(document) == Texts{"/a", "/x/b"});
  CHECK(config::plugin_path_of(config::Document::from_text("", "p.toml")).empty());
}

TEST_CASE("a name that no run folder could have is refused") {
  const auto problem = [](const std::string& name) {
    const auto problems = problems_in("name = \"" + name + "\"\n" + test::kGood);
    return problems.size() == 1 ? problems[0] : "other problems";
  };
  CHECK(problem("") == "p.toml:1:1: name is empty");
  CHECK(problem("a/b") == "p.toml:1:1: name must have neither \"/\" nor control characters, but is \"a/b\"");
  CHECK(problem("a\\nb") == "p.toml:1:1: name must have neither \"/\" nor control characters, but is \"a\\x0ab\"");
  CHECK(problem("a\\u0000b") == "p.toml:1:1: name must not hold the character NUL, but is \"a\\x00b\"");
  CHECK(problem("a\\u007fb") == "p.toml:1:1: name must have neither \"/\" nor control characters, but is \"a\\x7fb\"");
  CHECK(problem(std::string(201, 'x')) ==
        "p.toml:1:1: name must have at most 200 bytes, but \"" + std::string(40, 'x') + "…\" has 201");
  CHECK(problems_in("name = \"" + std::string(200, 'x') + "\"\n" + test::kGood).empty());
  CHECK(problems_in(std::string("name = \"Risse é 裂缝 [1]\"\n") + test::kGood).empty());
  // The file's name is used when there is none.
  CHECK(test::problems_of([] {
          config::resolve(config::Document::from_text(test::kGood, "a\xff.toml"), test::example_catalog());
        }) == Texts{"a\xff.toml:1:1: without a name in the file, a run is called like the file, but that name must be "
                    "UTF-8, but is \"a\\xff\"; write name = \"…\" at its top"});
}

TEST_CASE("texts that a file could not hold or the system would cut are refused wherever they stand") {
  const std::string good = test::kGood;
  CHECK(problems_in(good + "[experiment]\ndataset = \"a\\u0000b\"\n") ==
        Texts{"p.toml:8:1: dataset must not hold the character NUL, but is \"a\\x00b\""});
  CHECK(problems_in("plugin_path = [\"/a\\u0000b\"]\n" + good) ==
        Texts{"p.toml:1:1: plugin_path must not hold the character NUL, but is \"/a\\x00b\""});
  CHECK(test::text(problems_in("name = \"\xff\"\n" + good).at(0)) == Contains("p.toml:1:"));
  // An overlong form of "/".
  CHECK(test::text(problems_in("name = \"\xc0\xaf\"\n" + good).at(0)) == Contains("this is not TOML"));
  // The folder of the file is a part of the path that is meant.
  CHECK(test::problems_of([&] {
          config::resolve(config::Document::from_text(good + "[data]\nroot = \"x\"\n", "/a\xff/p.toml"),
                          test::example_catalog());
        }) == Texts{"/a\xff/p.toml:8:1: root must be UTF-8, but is \"/a\\xff/x\""});
}

TEST_CASE("folders of plugins that are not there are named at their place") {
  const test::Scratch scratch;
  scratch.write("file", "");
  const auto folder = scratch.path().string();
  const auto document = config::Document::from_text(
      "plugin_path = [\n\"" + folder + "\",\n\"" + folder + "/none\",\n\"" + folder + "/file\",\n\"\"]\n", "p.toml");
  CHECK(test::problems_of([&] { throw config::DiagnosticsError(config::check_plugin_path(document)); }) ==
        Texts{"p.toml:3:1: the folder of plugin_path \"" + folder +
                  "/none\" does not exist; check the name, or leave it out",
              "p.toml:4:1: the folder of plugin_path \"" + folder +
                  "/file\" is no folder; check the name, or leave it out",
              "p.toml:5:1: the folder of plugin_path is empty; name a folder of plugins, or leave it out"});
}

TEST_CASE(
    "of libraries with a plugin of one name, the pipeline must say which it wants, and the resolved file says it too") {
  auto catalog = test::example_catalog();
  for (auto& plugin : catalog.plugins) {
    plugin.file = "/opt/plugins/libnbs-built-in.so";
    plugin.hash = "aa";
  }
  auto shadow = catalog.plugins[0];
  shadow.file = "/home/me/libnbs-mine.so";
  shadow.hash = "bb";
  catalog.plugins.insert(catalog.plugins.begin(), shadow);
  const auto resolved_with = [&](const std::string& line, config::Purpose purpose = config::Purpose::run) {
    return config::resolve(
        config::Document::from_text("[sampler]\nplugin = \"walk\"\n" + line +
                                        "\n[autoencoder]\nplugin = \"linear\"\n[predictor]\nplugin = \"mean\"\n",
                                    "/here/p.toml"),
        catalog, purpose);
  };
  const auto problems = [&](const std::string& line) { return test::problems_of([&] { resolved_with(line); }); };
  REQUIRE(problems("").size() == 1);
  CHECK(test::text(problems("").front()) ==
        "/here/p.toml:2:1: 2 libraries hold a sampler \"walk\"; say beside plugin which one is meant, for example "
        "library "
        "= \"libnbs-mine.so\":\n  /home/me/libnbs-mine.so\n  /opt/plugins/libnbs-built-in.so");
  const auto mine = resolved_with("library = \"libnbs-mine.so\"");
  CHECK(mine.sampler->hash == "bb");
  const auto toml = config::to_toml(mine);
  CHECK(toml.find("[sampler]\nplugin = \"walk\"\nlibrary = \"libnbs-mine.so\"\nstep = 4\n") != std::string::npos);
  CHECK(config::to_toml(config::resolve(config::Document::from_text(toml, "r.toml"), catalog)) == toml);
  CHECK(resolved_with("library = \"libnbs-built-in.so\"").sampler->hash == "aa");
  // A path counts from the file that it stands in.
  CHECK(resolved_with("library = \"../home/me/libnbs-mine.so\"").sampler->library == "/home/me/libnbs-mine.so");
  CHECK(problems("library = \"libnbs-yours.so\"")
            .front()
            .find("no library \"libnbs-yours.so\" holds a sampler \"walk\"; it is in:") != std::string::npos);
  CHECK(problems("library = 3").front().find("library must be the name of a library's file") != std::string::npos);
  CHECK(problems("library = \"\"").size() == 1);
  // To mask images the sampler is not used.
  CHECK_FALSE(resolved_with("", config::Purpose::predict).sampler.has_value());
}
