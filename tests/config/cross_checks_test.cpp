// SPDX-License-Identifier: Apache-2.0
#include "example.h"
#include "scratch.h"

using namespace nbs;
using Texts = std::vector<std::string>;

namespace {

// Problems of the good pipeline, with 64 x 64 pixels and crops that fit, after overrides.
Texts problems_with(const std::vector<std::string>& overrides) {
  return test::problems_in(std::string(test::kGood) + "[data]\nimage_size = 64\n[buffer]\ncrop = 64\n", overrides);
}

}  // namespace

TEST_CASE("a patch or crop larger than the image is refused with both sizes") {
  CHECK(problems_with({}).empty());
  CHECK(problems_with({"profile.patch_size=64"}).empty());
  CHECK(problems_with({"profile.patch_size=65"}) ==
        Texts{"--set profile.patch_size=65: the patch (65 x 65, profile.patch_size) is larger than the image (64 x 64, "
              "data.image_size)"});
  CHECK(problems_with({"buffer.crop=65"}) ==
        Texts{"--set buffer.crop=65: buffer.crop is 65, more than the image's 64 pixels (data.image_size); lower it, "
              "or set it to 0 for whole images"});
}

TEST_CASE("generated images, which are made in the size of a view, are neither tiled nor padded") {
  CHECK(problems_with({"data.resize=square"}).empty());
  for (const std::string resize : {"keep", "tiles"}) {
    CHECK(
        problems_with({"data.resize=" + resize}) ==
        Texts{"--set data.resize=" + resize + ": data.resize is \"" + resize +
              "\", but images of data.format = \"synthetic\" are made in the size 64 x 64 (data.image_size), so there "
              "is nothing to keep or to tile; use \"square\", or export the images (nbs data --export) and read the "
              "folder"});
  }
}

TEST_CASE("reference maps are refused for tiles, which lie elsewhere in every view") {
  const test::Scratch scratch;
  const auto folder = "data.root=" + scratch.path().string();
  CHECK(problems_with({"data.format=folder", folder, "data.resize=tiles"}).empty());
  CHECK(problems_with({"data.format=folder", folder, "data.resize=keep", "profile.reference_images=4"}).empty());
  CHECK(
      problems_with({"data.format=folder", folder, "data.resize=tiles", "profile.reference_images=4"}) ==
      Texts{
          "--set profile.reference_images=4: profile.reference_images is 4, which compares images place by place, but "
          "with data.resize = \"tiles\" each view shows another place; set it to 0"});
}

TEST_CASE("tiles that leave gaps are refused") {
  CHECK(problems_with({"profile.tile_step=32"}).empty());
  CHECK(problems_with({"profile.tile_step=33"}) ==
        Texts{"--set profile.tile_step=33: profile.tile_step is 33, more than profile.patch_size (32): pixels between "
              "the tiles would have no loss"});
  CHECK(problems_with({"profile.tile_offset=31"}).empty());
  CHECK(problems_with({"profile.tile_offset=32"}) ==
        Texts{"--set profile.tile_offset=32: profile.tile_offset is 32, but must be below the distance between tiles "
              "(32)"});
  CHECK(problems_with({"profile.tile_step=8", "profile.tile_offset=8"}).size() == 1);
  const std::string checkerboard = "profile.tile_pattern=checkerboard";
  CHECK(problems_with({checkerboard, "profile.tile_step=16"}).empty());
  CHECK(problems_with({checkerboard, "profile.tile_step=17"}) ==
        Texts{"--set profile.tile_pattern=checkerboard: profile.tile_pattern = \"checkerboard\" leaves out every other "
              "tile, so tiles have to overlap by half at least, but profile.tile_step is 17 of 32 pixels "
              "(profile.patch_size); set it to at most 16, or the pattern to \"all\""});
  CHECK(problems_with({"profile.reference_blur=7"}).empty());
  CHECK(
      problems_with({"profile.reference_blur=4"}) ==
      Texts{
          "--set profile.reference_blur=4: profile.reference_blur is 4, but a square with a pixel in its middle has an "
          "odd side; use 5"});
}

TEST_CASE("a profile that could never be full is refused with the numbers that make it so") {
  // T = 5 maps every 3 iterations: full after 13.
  const std::vector<std::string> profile = {"profile.length=5", "profile.stride=3"};
  const auto with = [&](const char* one, const char* other) {
    auto overrides = profile;
    overrides.insert(overrides.end(), {one, other});
    return problems_with(overrides);
  };
  CHECK(with("train.reinit_every=13", "train.iterations=13").empty());
  CHECK(with("train.reinit_every=0", "train.iterations=13").empty());
  CHECK(
      with("train.reinit_every=12", "train.iterations=13") ==
      Texts{"--set train.reinit_every=12: a profile of 5 maps every 3 iterations is full after 13 iterations, but the "
            "autoencoder is re-initialized every 12 (train.reinit_every): no profile would ever be full"});
  CHECK(with("train.reinit_every=0", "train.iterations=12") ==
        Texts{"--set train.iterations=12: a profile of 5 maps every 3 iterations is full after 13 iterations, but "
              "training ends after 12 (train.iterations)"});
}

TEST_CASE("masks cannot be made from more cycles than there are") {
  CHECK(problems_with({"train.iterations=192", "train.reinit_every=64", "profile.cycles=3"}).empty());
  // A third cycle that ends before its profiles are full does not count.
  CHECK(problems_with({"train.iterations=129", "train.reinit_every=64", "profile.cycles=3"}).size() == 1);
  CHECK(
      problems_with({"train.iterations=128", "train.reinit_every=64", "profile.cycles=3"}) ==
      Texts{
          "--set profile.cycles=3: masks are to be made from the last 3 cycles of the autoencoder (profile.cycles), "
          "but "
          "128 iterations with a re-initialization every 64 (train.reinit_every; 0: never) have 2 with full profiles"});
  CHECK(problems_with({"train.reinit_every=0", "profile.cycles=2"}).size() == 1);
}

TEST_CASE("a predictor that would never learn from full profiles is refused") {
  // T = 5 maps every 3 iterations: full after 13 of 16, so in 4 iterations of a cycle.
  const auto with = [](std::vector<std::string> more) {
    std::vector<std::string> overrides = {"profile.length=5", "profile.stride=3", "train.reinit_every=16"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return problems_with(overrides);
  };
  CHECK(with({"train.iterations=32", "buffer.every=4"}).empty());
  CHECK(
      with({"train.iterations=32", "buffer.every=5"}) ==
      Texts{"--set buffer.every=5: the predictor learns in every 5-th iteration (buffer.every), but profiles are full "
            "only in the last 4 of an autoencoder's 16: it might never learn while they are; use at most 4"});
  CHECK(with({"train.iterations=32", "buffer.every=5", "train.predictor_iterations=1"}).empty());
  CHECK(with({"train.iterations=32", "train.predictor_iterations=1", "train.patience=9"}) ==
        Texts{"--set train.patience=9: train.patience is 9, which would end training before the 1 iterations that "
              "train the predictor alone (train.predictor_iterations); set one of the two to 0"});
  CHECK(with({"train.iterations=32", "train.student_iterations=7", "train.patience=9"}) ==
        Texts{"--set train.patience=9: train.patience is 9, which would end training before the 7 iterations of the "
              "students (train.student_iterations); set one of the two to 0"});
  CHECK(
      with({"train.iterations=28", "train.predictor_iterations=1"}) ==
      Texts{
          "--set train.predictor_iterations=1: training ends 12 iterations into the last autoencoder's cycle, but "
          "its profiles are full only after 13, so the iterations that train the predictor alone would have none; let "
          "train.iterations (28) be a multiple of train.reinit_every (16)"});
}

TEST_CASE("a sampler without an autoencoder is refused, and the other way round; neither is needed") {
  CHECK(problems_with({"autoencoder.plugin=none"}) ==
        Texts{"p.toml:1:2: there is a [sampler], but no [autoencoder] that its patches could train"});
  CHECK(problems_with({"sampler.plugin=none"}) ==
        Texts{"p.toml:3:2: there is an [autoencoder], but no [sampler] that chooses its patches"});
  // What only an autoencoder uses is not looked at without one.
  CHECK(problems_with({"sampler.plugin=none", "autoencoder.plugin=none", "profile.patch_size=65"}).empty());
}

TEST_CASE("a data folder that is not set or not there is refused before anything runs") {
  const test::Scratch scratch;
  CHECK(problems_with({"data.format=mvtec"}) ==
        Texts{"p.toml:7:2: data.root is not set, but the format \"mvtec\" reads a folder"});
  const auto folder = scratch.path().string();
  CHECK(problems_with({"data.format=mvtec", "data.root=" + folder}).empty());
  CHECK(problems_with({"data.format=mvtec", "data.root=" + folder, "data.category=bottle"}) ==
        Texts{"--set data.root=" + folder + ": the data folder " + folder + "/bottle does not exist"});
  CHECK(problems_with({"data.labeled=25"}) ==
        Texts{"--set data.labeled=25: data.labeled is 25, but only 24 images are generated (data.count)"});
}

TEST_CASE("options are compared only when each of them is right") {
  CHECK(problems_with({"profile.patch_size=65", "seed=-1"}) ==
        Texts{"--set seed=-1: seed must be an integer of at least 0"});
}

TEST_CASE("more anomalous images than labeled ones are refused") {
  CHECK(problems_with({"data.labeled=3", "data.min_anomalous=3"}).empty());
  CHECK(
      problems_with({"data.labeled=3", "data.min_anomalous=4"}) ==
      Texts{"--set data.min_anomalous=4: data.min_anomalous is 4, but only 3 images are labeled (data.labeled); lower "
            "it"});
  // Without labeled images nothing is drawn.
  CHECK(problems_with({"data.labeled=0", "data.min_anomalous=4", "evaluation.threshold_rule=fixed"}).empty());
}

TEST_CASE("a folder of images is refused beside generated ones") {
  CHECK(problems_with({"data.root=/somewhere"}) ==
        Texts{"--set data.root=/somewhere: data.root is /somewhere, but data.format is \"synthetic\", which reads no "
              "folder; set data.format to how the images lie there (\"folder\" for images of your own)"});
}

TEST_CASE("folds that cannot be are refused, with both numbers") {
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=3"}).empty());
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=-1"}).empty());
  CHECK(problems_with({"data.labeled=1", "evaluation.folds=-1"}).empty());
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=4"}) ==
        Texts{"--set evaluation.folds=4: evaluation.folds is 4, but only 3 images are labeled (data.labeled); use at "
              "most as many, or -1 for one fold an image"});
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=3", "train.members=3"}).empty());
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=2", "train.members=5"}).empty());
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=3", "train.members=2"}) ==
        Texts{"--set evaluation.folds=3: evaluation.folds is 3, but train.members is 2 and each member leaves out one "
              "fold, so the others would be left out by none; use at most as many, or -1"});
  CHECK(problems_with({"data.labeled=3", "evaluation.folds=1"}) ==
        Texts{"--set evaluation.folds=1: evaluation.folds is 1, and the one fold would leave out every labeled image; "
              "use at least 2, -1 for one fold an image, or 0 for none"});
}

TEST_CASE("an option that is gone is refused with the reason") {
  CHECK(
      problems_with({"evaluation.threshold_slack=0.05"}) ==
      Texts{"--set evaluation.threshold_slack=0.05: [evaluation] has no option \"threshold_slack\" any more: the "
            "threshold is chosen on masks of predictors that were not taught the image (folds), which needs no margin; "
            "delete the line"});
}

TEST_CASE("what chooses by labeled images is refused without any") {
  CHECK(problems_with({"data.labeled=0"}) ==
        Texts{"p.toml:1:1: evaluation.threshold_rule is \"labeled_f1\", which chooses the threshold on the labeled "
              "images, but data.labeled is 0; label at least one image, or use \"fixed\" or \"normal_area\""});
  CHECK(problems_with({"data.labeled=0", "evaluation.threshold_rule=fixed", "evaluation.tune_postproc=true"}).empty());
  CHECK(problems_with({"data.labeled=0", "evaluation.threshold_rule=fixed", "evaluation.tune_postproc=true",
                       "postproc=[{plugin=\"open\"}]"}) ==
        Texts{"--set evaluation.tune_postproc=true: evaluation.tune_postproc tries options on the labeled images, but "
              "data.labeled is 0; label at least one image, or turn it off"});
}

TEST_CASE("anomaly-free images that nobody keeps apart cannot be used") {
  const test::Scratch scratch;
  CHECK(problems_with({"train.autoencoder_images=auxiliary", "data.auxiliary=1"}).empty());
  CHECK(
      problems_with({"train.autoencoder_images=auxiliary"}) ==
      Texts{
          "--set train.autoencoder_images=auxiliary: train.autoencoder_images is \"auxiliary\", but data.auxiliary is "
          "0, so no anomaly-free images are read; set it to how many"});
  CHECK(problems_with({"evaluation.threshold_rule=normal_area"}).size() == 1);
  CHECK(problems_with({"evaluation.threshold_rule=normal_area", "data.auxiliary=1"}).empty());
  CHECK(
      problems_with({"evaluation.threshold_rule=normal_area", "data.auxiliary=9", "data.format=folder",
                     "data.root=" + scratch.path().string()}) ==
      Texts{
          "--set evaluation.threshold_rule=normal_area: evaluation.threshold_rule is \"normal_area\", but data.format "
          "\"folder\" keeps no anomaly-free images apart; choose another value"});
  // One is held out at least, so of one none is left.
  const auto both = [](const char* auxiliary, const char* share) {
    return problems_with(
        {"train.autoencoder_images=auxiliary", "evaluation.threshold_rule=normal_area", auxiliary, share});
  };
  CHECK(both("data.auxiliary=2", "evaluation.normal_share=0.1").empty());
  CHECK(both("data.auxiliary=1", "evaluation.normal_share=0.1").size() == 1);
  CHECK(
      both("data.auxiliary=4", "evaluation.normal_share=1") ==
      Texts{
          "--set data.auxiliary=4: 4 of 4 anomaly-free images (data.auxiliary) are held out to choose the threshold "
          "(evaluation.normal_share is 1), so none is left for the autoencoder to learn from; raise data.auxiliary or "
          "lower the share"});
}

namespace {

Texts component_problems(const config::ComponentFacts& facts, const std::vector<std::string>& overrides) {
  auto document = config::Document::from_text(std::string(test::kGood) + "[[postproc]]\nplugin = \"open\"\n", "p.toml");
  document.apply("buffer.crop=64");
  document.apply(overrides);
  return test::problems_of([&] {
    throw config::DiagnosticsError(
        config::check_components(document, config::resolve(document, test::example_catalog()), facts));
  });
}

}  // namespace

TEST_CASE("what only the components know is compared with the pipeline") {
  config::ComponentFacts learning{true, true, {}};
  const config::ComponentFacts fixed{true, false, {}};
  CHECK(component_problems(learning, {}).empty());
  CHECK(
      component_problems(learning, {"data.labeled=0", "evaluation.threshold_rule=fixed"}) ==
      Texts{"--set data.labeled=0: the predictor \"mean\" learns from labeled images, but data.labeled is 0; label at "
            "least one image"});
  CHECK(component_problems(fixed, {"data.labeled=0", "evaluation.threshold_rule=fixed"}).empty());
  CHECK(component_problems(learning, {"train.predictor_iterations=3", "train.iterations=320"}).empty());
  CHECK(component_problems(fixed, {"train.predictor_iterations=3", "train.iterations=320"}) ==
        Texts{"--set train.predictor_iterations=3: train.predictor_iterations is 3, iterations in which only the "
              "predictor learns, but the predictor "
              "\"mean\" learns nothing; set it to 0"});
  CHECK(component_problems(fixed, {"train.patience=3"}).size() == 1);
  CHECK(component_problems(learning, {"train.student_iterations=3"}) ==
        Texts{"--set train.student_iterations=3: train.student_iterations is 3, iterations of students that learn from "
              "images alone, but the predictor \"mean\" needs loss profiles; set it to 0"});
  CHECK(component_problems({false, false, {}}, {"train.student_iterations=3"}) ==
        Texts{"--set train.student_iterations=3: train.student_iterations is 3, iterations of students that learn from "
              "images alone, but the predictor \"mean\" learns nothing; set it to 0"});
  CHECK(component_problems({false, true, {}}, {"train.student_iterations=3"}).empty());
  CHECK(
      component_problems(learning, {"sampler.plugin=none", "autoencoder.plugin=none"}) ==
      Texts{"p.toml:5:2: the predictor \"mean\" needs loss profiles as it is set, but the pipeline has no [sampler] to "
            "make them; add that section"});
  CHECK(component_problems({false, true, {}}, {"sampler.plugin=none", "autoencoder.plugin=none"}).empty());
  learning.refusals = {{"autoencoder", 0, "bad channels"}, {"postproc", 0, "bad radius"}};
  CHECK(component_problems(learning, {}) == Texts{"p.toml:3:2: bad channels", "p.toml:7:1: bad radius"});
}

TEST_CASE("pipelines with the same components have one text, others another") {
  const auto text = [](const std::vector<std::string>& overrides) {
    return config::components_toml(test::resolved(test::kGood, overrides));
  };
  CHECK(text({}) == text({"seed=3", "train.iterations=77", "name=other"}));
  for (const char* other : {"sampler.step=2", "data.image_size=192", "profile.patch_size=16", "profile.length=3",
                            "autoencoder.channels=[3]", "plugin_path=[\"/x\"]", "postproc=[{plugin=\"open\"}]"})
    CHECK(text({}) != text({other}));
  const auto document = config::Document::from_text(text({"plugin_path=[\"/x\"]"}), "c.toml");
  CHECK(config::resolve(document, test::example_catalog(), config::Purpose::postprocess).sampler->plugin == "walk");
}

TEST_CASE("a run that cannot fit into memory is refused with what is large, before it is made") {
  const auto problem = [](const std::vector<std::string>& overrides, double available) {
    auto document = config::Document::from_text(test::kGood, "p.toml");
    document.apply(overrides);
    const auto problems = config::check_memory(document, config::resolve(document, test::example_catalog()), available);
    return test::text(problems.empty() ? "" : problems.at(0).text());
  };
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  CHECK(problem({}, 2 * kGiB) == "");
  // A byte for each color: 100,000 x 4096 x 4096 x 3 bytes = 4687.5 GiB, if they are to be held in memory.
  const std::vector<std::string> large = {"data.count=100000", "data.image_size=4096", "data.memory=4800000"};
  CHECK(
      problem(large, 64 * kGiB) ==
      doctest::Contains("4687.5 of them for 100000 images of 4096 x 4096 pixels, but this machine has 64.0 GiB; lower "
                        "data.memory or the size"));
  CHECK(problem(large, 64 * kGiB) == doctest::Contains("--set data.memory=4800000: a run needs at least 47"));
  // Otherwise they take none, however many there are.
  CHECK(problem({"data.count=10000000"}, 1 * kGiB) == "");
  CHECK(problem({"data.count=10000000", "data.memory=1874999"}, 1 * kGiB) == "");
  CHECK(problem({"data.count=10000000", "data.memory=1875000"}, 1 * kGiB) == doctest::Contains("1831.1 of them"));
  CHECK(problem({"train.patches=1000000", "profile.patch_size=256"}, 64 * kGiB) ==
        doctest::Contains("for the 1000000 patches of 256 x 256 pixels of one iteration"));
  CHECK(problem({"buffer.batch=4096", "buffer.crop=0", "data.image_size=1024", "data.count=1", "data.labeled=1"},
                64 * kGiB) == doctest::Contains("for a minibatch of 4096 crops of 1024 x 1024 pixels"));
}

TEST_CASE("images that fit neither into memory nor on the disk are refused") {
  const auto problem = [](const std::vector<std::string>& overrides, double capacity) {
    auto document = config::Document::from_text(test::kGood, "p.toml");
    document.apply(overrides);
    const auto problems = config::check_disk(document, config::resolve(document, test::example_catalog()), capacity);
    return test::text(problems.empty() ? "" : problems.at(0).text());
  };
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  const std::vector<std::string> large = {"data.count=100000", "data.image_size=4096"};
  CHECK(problem(large, 4687.4 * kGiB) ==
        doctest::Contains("100000 images of 4096 x 4096 pixels take 4687.5 GiB, more than data.memory (1024 MiB), so "
                          "they would go to the cache folder, but its disk has 4687.4 GiB in all"));
  CHECK(problem(large, 4687.5 * kGiB) == "");
  // What is held in memory needs no disk.
  CHECK(problem({"data.count=100000", "data.image_size=4096", "data.memory=4800000"}, 1 * kGiB) == "");
}

TEST_CASE("what a run needs is reckoned from its options") {
  const test::Scratch scratch;
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  const auto problem = [&](const std::vector<std::string>& overrides) {
    auto document = config::Document::from_text(test::kGood, "p.toml");
    document.apply(overrides);
    const auto problems = config::check_memory(document, config::resolve(document, test::example_catalog()), 16 * kGiB);
    return test::text(problems.empty() ? "" : problems.at(0).text());
  };
  // A mask of float32 for each labeled image: 400 x 4096 x 4096 x 4 bytes.
  CHECK(problem({"data.format=folder", "data.root=" + scratch.path().string(), "data.labeled=400",
                 "data.image_size=4096"}) ==
        doctest::Contains("25.0 of them for the masks of 400 labeled images of 4096 x 4096 pixels"));
  // Three loss maps and the mask: 4096 x 4 x 1024 x 1024 x 4 bytes.
  CHECK(problem({"profile.length=3", "buffer.batch=4096", "buffer.crop=1024", "data.image_size=1024", "data.count=2",
                 "data.labeled=1"}) == doctest::Contains("64.0 of them for a minibatch of 4096 crops"));
  // A buffer takes what is recorded, not what it might hold.
  CHECK(problem({"buffer.capacity=1000000", "data.image_size=512", "data.count=2", "data.labeled=1",
                 "train.iterations=100"}) == "");
  CHECK(problem({"buffer.capacity=1000000", "data.image_size=512", "data.count=2", "data.labeled=1",
                 "train.iterations=1000000", "train.reinit_every=0"}) == doctest::Contains(" buffered profiles, but"));
}

TEST_CASE("profiles that are never full are one problem, also where the predictor learns at the end alone") {
  CHECK(problems_with({"train.predictor_iterations=3", "train.reinit_every=10", "train.iterations=100",
                       "profile.length=12", "profile.stride=1"})
            .size() == 1);
}
