// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <filesystem>

#include <sys/stat.h>

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::tiny_pipeline;
using Words = std::vector<std::string>;

// What a run would refuse for reasons that its pipeline alone tells, nbs check refuses too, and in the same words.

namespace {

struct Case {
  Words overrides;
  const char* sentence;
};

}  // namespace

TEST_CASE("check refuses what run refuses for the pipeline's sake, in the same words") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  const std::string threshold = "predictor={plugin=\"threshold\"}";
  const std::vector<Case> cases = {
      {{"data.labeled=0", "evaluation.threshold_rule=fixed"},
       "--set data.labeled=0: the predictor \"dilated\" learns from labeled images, but data.labeled is 0"},
      {{"data.labeled=0"}, "evaluation.threshold_rule is \"labeled_f1\""},
      {{"data.min_anomalous=3"}, "data.min_anomalous is 3, but only 2 images are labeled (data.labeled)"},
      {{"data.labeled=7"}, "data.labeled is 7, but only 6 images are generated (data.count)"},
      {{threshold, "train.predictor_iterations=2"},
       "--set train.predictor_iterations=2: train.predictor_iterations is 2, iterations in which only the predictor "
       "learns, but the predictor "
       "\"threshold\" learns nothing"},
      {{threshold, "train.patience=2"}, "train.patience is 2, which waits for l_pred to fall"},
      {{"sampler.plugin=none", "autoencoder.plugin=none"},
       "a.toml:18:2: the predictor \"dilated\" needs loss profiles as it is set, but the pipeline has no [sampler]"},
      {{"autoencoder.plugin=none"}, "there is a [sampler], but no [autoencoder]"},
      {{"predictor.inputs=[]"}, "a.toml:18:2: predictor \"dilated\", construction(): inputs is empty"},
      {{"autoencoder.channels=[4, 8, 8, 8, 8]"},
       "a.toml:14:2: autoencoder \"conv\", construction(): channels has 5 levels"},
      {{"autoencoder.plugin=bergmann"},
       "a.toml:14:2: autoencoder \"bergmann\", construction(): the architecture is made for patches of 128 pixels"},
      {{"postproc=[{plugin=\"dense_crf\", scolor=[1, 2]}]"}, "dense_crf\", construction(): scolor holds 2 values"},
      {{"profile.patch_size=64"}, "the patch (64 x 64, profile.patch_size) is larger than the image (32 x 32"},
      {{"profile.tile_step=17"}, "profile.tile_step is 17, more than profile.patch_size (16)"},
      {{"profile.tile_offset=16"}, "profile.tile_offset is 16, but must be below the distance between tiles (16)"},
      {{"buffer.crop=33"}, "buffer.crop is 33, more than the image's 32 pixels (data.image_size)"},
      {{"train.autoencoder_images=auxiliary"}, "but data.auxiliary is 0, so no anomaly-free images are read"},
      {{"evaluation.threshold_rule=normal_area"}, "but data.auxiliary is 0, so no anomaly-free images are read"},
      {{"data.count=10000000", "data.image_size=4096"},
       "10000000 images of 4096 x 4096 pixels take 468750.0 GiB, more than data.memory (1024 MiB), so they would go "
       "to "},
      {{"data.count=100000", "data.image_size=4096", "data.memory=100000000"},
       "100000 images of 4096 x 4096 pixels, but this machine has"},
      {{"name=a/b"}, "name must have neither \"/\" nor control characters, but is \"a/b\""},
      {{"name=a\xff"}, "an override must be UTF-8"},
      {{"name=" + std::string(250, 'n')}, "name must have at most 200 bytes"},
      {{"base=b.toml"}, "base cannot be overridden"},
      {{"train.=3"}, "has an empty part"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.sentence);
    Words words = {"a.toml"};
    for (const auto& text : one.overrides)
      words.insert(words.end(), {"--set", text});
    Words checking = words;
    checking.insert(checking.begin(), "check");
    const auto checked = nbs(checking);
    CHECK(checked.status == 2);
    CHECK(text(checked.errors) == Contains(one.sentence));
    CHECK(checked.output.empty());
    words.insert(words.begin(), "run");
    const auto ran = nbs(words);
    CHECK(ran.status == 2);
    CHECK(ran.errors == checked.errors);
    CHECK_FALSE(std::filesystem::exists(nbs.folder() / "runs"));
  }
}

TEST_CASE("a predictor without profiles runs whatever [profile] says, as check says") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  const Words words = {"a.toml",
                       "--set",
                       "predictor.inputs=[\"image\"]",
                       "--set",
                       "sampler.plugin=none",
                       "--set",
                       "autoencoder.plugin=none",
                       "--set",
                       "profile.patch_size=64",
                       "--set",
                       "profile.tile_step=65"};
  auto checking = words;
  checking.insert(checking.begin(), "check");
  CHECK(nbs(checking).status == 0);
  auto running = words;
  running.insert(running.begin(), "run");
  const auto ran = nbs(running);
  CHECK(ran.status == 0);
}

TEST_CASE("folders of plugins that are not there: an error on the command line, else a warning") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  for (const char* command : {"check", "run", "batch", "data"}) {
    CAPTURE(command);
    auto ended = nbs({command, "a.toml", "--plugin-path", ""});
    CHECK(ended.status == 2);
    CHECK(ended.errors == "--plugin-path: the folder is empty; name a folder of plugins, or leave it out\n");
    ended = nbs({command, "a.toml", "--plugin-path", "nowhere"});
    CHECK(ended.status == 2);
    CHECK(ended.errors == "--plugin-path: the folder \"nowhere\" does not exist; check the name, or leave it out\n");
  }
  CHECK(nbs({"plugins", "--plugin-path", ""}).status == 2);
  CHECK(text(nbs({"check", "a.toml", "--plugin-path", "a.toml"}).errors) == Contains("\"a.toml\" is no folder"));
  auto ended = nbs({"check", "a.toml", "--set", "plugin_path=[\"/nowhere/at/all\", \"\"]"});
  CHECK(ended.status == 0);
  CHECK(
      text(ended.errors) ==
      Contains("warning: --set plugin_path=[\"/nowhere/at/all\", \"\"]: the folder of plugin_path \"/nowhere/at/all\" "
               "does not exist; check the name, or leave it out\n"));
  CHECK(text(ended.errors) ==
        Contains(": the folder of plugin_path is empty; name a folder of plugins, or leave it out\n"));
  ended = nbs({"check", "a.toml"}, "NBS_PLUGIN_PATH=/nowhere/at/all ");
  CHECK(ended.status == 0);
  CHECK(ended.errors == "warning: NBS_PLUGIN_PATH names /nowhere/at/all, which is no folder\n");
}

TEST_CASE("what is called like a library but is no file is named, and opened by nobody") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  std::filesystem::create_directories(nbs.folder() / "plugins/folder.so");
  REQUIRE(mkfifo((nbs.folder() / "plugins/pipe.so").c_str(), 0600) == 0);
  std::filesystem::create_symlink("/dev/zero", nbs.folder() / "plugins/device.so");
  std::filesystem::create_symlink("nothing", nbs.folder() / "plugins/link.so");
  CHECK(nbs({"check", "a.toml", "--plugin-path", "plugins"}, "timeout 60 ").status == 0);
  const auto ended = nbs({"plugins", "--plugin-path", "plugins"}, "timeout 60 ");
  CHECK(ended.status == 0);
  for (const char* reason :
       {"pipe.so: it is a pipe, not a file", "folder.so: it is a folder, not a file",
        "device.so: it is a device, not a file", "link.so: it does not exist, or is a link to nothing"})
    CHECK(text(ended.errors) == Contains(reason));
}

TEST_CASE("a folder of plugins that anybody may write to is warned of") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  nbs.folder().write("plugins/notes.txt", "");
  std::filesystem::permissions(nbs.folder() / "plugins", std::filesystem::perms::all);
  const auto ended = nbs({"check", "a.toml", "--plugin-path", "plugins"});
  CHECK(ended.status == 0);
  CHECK(text(ended.errors) == Contains("warning: the plugin folder "));
  CHECK(ended.errors.find("warning") == ended.errors.rfind("warning"));
}

TEST_CASE("twenty thousand unknown keys are answered in seconds, with the first hundred") {
  const Program nbs;
  std::string pipeline = tiny_pipeline();
  for (int i = 0; i < 20000; ++i)
    pipeline += "itertions" + std::to_string(i) + " = 1\n";
  nbs.folder().write("a.toml", pipeline);
  CHECK(nbs({"plugins"}).status == 0);  // described before the clock starts
  const auto start = std::chrono::steady_clock::now();
  const auto ended = nbs({"check", "a.toml"}, "timeout 60 ");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(ended.status == 2);
  CHECK(text(ended.errors) == Contains("… and 19900 more problems\n"));
  CHECK(ended.errors.size() < 20000);
}

TEST_CASE("a plugin folder of the environment whose name is not UTF-8 spoils nothing") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  std::filesystem::create_directory(nbs.folder() / "p\xff");
  const std::string environment = "NBS_PLUGIN_PATH='p\xff' ";
  CHECK(nbs({"check", "a.toml"}, environment).status == 0);
  const auto ended = nbs({"plugins", "--json"}, environment);
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("/p\xef\xbf\xbd\""));
}
