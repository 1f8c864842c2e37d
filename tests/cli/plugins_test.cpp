// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

// Plugins of third parties beside the built-in ones: shadowed names, libraries that changed, libraries that are bad.

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;

// "Built again": another file that does the same. The loader ignores what lies behind the end of a library.
void build_again(const fs::path& library) {
  std::ofstream(library, std::ios::app | std::ios::binary) << "again";
}

// A third party's build of a built-in library, in a folder of its own.
fs::path third_party(const Program& nbs, const std::string& built_in, const std::string& name) {
  const auto file = nbs.folder() / "mine" / name;
  fs::create_directories(file.parent_path());
  fs::copy_file(fs::path(NBS_BUILT_PLUGINS) / built_in, file);
  build_again(file);
  return file;
}

std::string tiny_with(const std::string& sampler, const std::string& more = "") {
  nbs::test::TinyOptions tiny;
  tiny.sampler = sampler;
  return nbs::test::tiny_pipeline(tiny) + more;
}

const std::string kMine = "plugin = \"random\"\nlibrary = \"libmine.so\"";

}  // namespace

TEST_CASE("a library that shadows a built-in name is an error in every command until the pipeline names it") {
  const Program nbs;
  const auto mine = third_party(nbs, "libnbs-random.so", "libmine.so");
  nbs.folder().write("a.toml", tiny_with("plugin = \"random\""));
  nbs.folder().write("mine.toml", tiny_with(kMine));
  const auto refusal =
      ": 2 libraries hold a sampler \"random\"; say beside plugin which one is meant, for example "
      "library = \"libmine.so\":\n  " +
      mine.string() + "\n  ";
  CHECK(nbs({"check", "a.toml"}).status == 0);
  const auto by_option = nbs({"check", "--plugin-path", "mine", "a.toml"});
  CHECK(by_option.status == 2);
  CHECK(text(by_option.errors) == Contains(refusal.c_str()));
  const auto by_variable =
      nbs({"run", "a.toml", "--run-dir", "run"}, "NBS_PLUGIN_PATH='" + mine.parent_path().string() + "'");
  CHECK(by_variable.status == 2);
  CHECK(text(by_variable.errors) == Contains(refusal.c_str()));
  CHECK_FALSE(fs::exists(nbs.folder() / "run"));

  const auto ended = nbs({"run", "mine.toml", "--plugin-path", "mine", "--run-dir", "run", "--progress", "none"});
  INFO(ended.errors);
  REQUIRE(ended.status == 0);
  const auto provenance = nlohmann::json::parse(nbs::read_file(nbs.folder() / "run" / "provenance.json"));
  CHECK(provenance.at("plugins")[0].at("file") == "libmine.so");
  CHECK(provenance.at("plugins")[0].at("sha256") == nbs::file_sha256(mine));
  CHECK(text(nbs::read_file(nbs.folder() / "run" / "resolved.toml")) ==
        Contains("[sampler]\nplugin = \"random\"\nlibrary = \"libmine.so\"\n"));
  const auto chosen = nbs({"check", "--plugin-path", "mine", "a.toml", "--set", "sampler.library=libnbs-random.so"});
  CHECK(chosen.status == 0);
}

TEST_CASE(
    "predict and tune refuse plugins that are not the run's, and go on with a warning when told to; a batch runs "
    "again") {
  const Program nbs;
  const auto mine = third_party(nbs, "libnbs-morphology.so", "libmine.so");
  nbs.folder().write(
      "a.toml", tiny_with("plugin = \"random\"", "[[postproc]]\nplugin = \"morphology\"\nlibrary = \"libmine.so\"\n"));
  cv::imwrite((nbs.folder() / "image.png").string(), cv::Mat(40, 50, CV_8UC3, cv::Scalar(9, 90, 200)));
  const auto batch = [&] { return nbs({"batch", "a.toml", "--plugin-path", "mine", "--out", "runs"}); };
  REQUIRE(batch().status == 0);
  CHECK(text(batch().output) == Contains("finished before"));
  fs::path run;
  for (const auto& entry : fs::directory_iterator(nbs.folder() / "runs")) {
    if (entry.is_directory()) run = entry.path();
  }
  const auto before = nbs::file_sha256(mine);
  CHECK(nbs({"predict", run.string(), "image.png"}).status == 0);
  build_again(mine);
  const auto change =
      "was made with other plugins: the postprocessor \"morphology\" was libmine.so 1.0.0 with the SHA-256 " + before +
      " in the run, and is a library with " + nbs::file_sha256(mine) + " now";
  for (const auto& words : {std::vector<std::string>{"predict", run.string(), "image.png", "--out", "masks"},
                            std::vector<std::string>{"tune", run.string()}}) {
    CAPTURE(words[0]);
    const auto refused = nbs(words);
    CHECK(refused.status == 1);
    CHECK(text(refused.errors) == Contains((change + "; its masks may be others with these").c_str()));
    CHECK_FALSE(fs::exists(nbs.folder() / "masks"));
    auto allowed = words;
    allowed.emplace_back("--allow-changed-plugins");
    const auto warned = nbs(allowed);
    CHECK(warned.status == 0);
    CHECK(text(warned.errors) == Contains("warning: the run "));
    CHECK(text(warned.errors) == Contains(change.c_str()));
    fs::remove_all(nbs.folder() / "masks");
  }
  const auto again = batch();
  CHECK(again.status == 0);
  CHECK(again.output.find("finished before") == std::string::npos);
  CHECK(text(again.errors) ==
        Contains("is finished, but not with these plugins, so it does not count: the postprocessor"));
  // Without the record nobody knows, which is said.
  fs::remove(run / "provenance.json");
  const auto unknown = nbs({"predict", run.string(), "image.png"});
  CHECK(unknown.status == 0);
  CHECK(text(unknown.errors) == Contains("so nobody knows whether these are the plugins of the run"));
}

TEST_CASE(
    "run --model refuses plugins that are not those of the model's run, but for postprocessors, and goes on with a "
    "warning when told to") {
  const Program nbs;
  const auto sampler = third_party(nbs, "libnbs-random.so", "libmine.so");
  const auto chain = third_party(nbs, "libnbs-morphology.so", "libmorph.so");
  nbs.folder().write("a.toml", tiny_with(kMine, "[[postproc]]\nplugin = \"morphology\"\nlibrary = \"libmorph.so\"\n"));
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", "a.toml", "--plugin-path", "mine", "--progress", "none"});
    return nbs(more);
  };
  REQUIRE(run({"--run-dir", "trained"}).status == 0);
  build_again(chain);
  CHECK(run({"--model", "trained", "--run-dir", "other_chain"}).status == 0);
  const auto before = nbs::file_sha256(sampler);
  build_again(sampler);
  const auto refused = run({"--model", "trained", "--run-dir", "taken"});
  CHECK(refused.status == 1);
  CHECK(text(refused.errors) == Contains("the run trained was made with other plugins: the sampler \"random\""));
  CHECK(text(refused.errors) == Contains(before.c_str()));
  CHECK(text(refused.errors) == Contains("accept the difference (--allow-changed-plugins)"));
  CHECK_FALSE(fs::exists(nbs.folder() / "taken"));
  const auto warned = run({"--model", "trained", "--run-dir", "taken", "--allow-changed-plugins"});
  CHECK(warned.status == 0);
  CHECK(text(warned.errors) == Contains("warning: the run trained was made with other plugins"));
}

TEST_CASE("predict needs no library of the sampler, and finds moved ones with --plugin-path") {
  const Program nbs;
  const auto sampler = third_party(nbs, "libnbs-random.so", "libmine.so");
  const auto chain = third_party(nbs, "libnbs-morphology.so", "libmorph.so");
  nbs.folder().write("a.toml", tiny_with(kMine, "[[postproc]]\nplugin = \"morphology\"\nlibrary = \"libmorph.so\"\n"));
  cv::imwrite((nbs.folder() / "image.png").string(), cv::Mat(40, 50, CV_8UC3, cv::Scalar(9, 90, 200)));
  REQUIRE(nbs({"run", "a.toml", "--plugin-path", "mine", "--run-dir", "run", "--progress", "none"}).status == 0);
  fs::remove(sampler);
  CHECK(nbs({"predict", "run", "image.png", "--out", "first"}).status == 0);
  fs::create_directories(nbs.folder() / "moved");
  fs::rename(chain, nbs.folder() / "moved" / "libmorph.so");
  for (const auto& words : {std::vector<std::string>{"predict", "run", "image.png", "--out", "second"},
                            std::vector<std::string>{"tune", "run"}}) {
    CAPTURE(words[0]);
    const auto lost = nbs(words);
    CHECK(lost.status == 1);
    CHECK(text(lost.errors) == Contains("no library \"libmorph.so\" holds a postprocessor \"morphology\""));
    auto found = words;
    found.insert(found.end(), {"--plugin-path", "moved"});
    const auto ended = nbs(found);
    INFO(ended.errors);
    CHECK(ended.status == 0);
    CHECK(ended.errors.find("warning") == std::string::npos);
  }
  CHECK(nbs::read_file(nbs.folder() / "first" / "image.mask.png") ==
        nbs::read_file(nbs.folder() / "second" / "image.mask.png"));
  const auto nowhere = nbs({"predict", "run", "image.png", "--plugin-path", "none"});
  CHECK(nowhere.status == 2);
  CHECK(text(nowhere.errors) == Contains("--plugin-path: the folder \"none\" does not exist"));
}

TEST_CASE("a bad library on the path is named and left out, and everything else works") {
  const Program nbs;
  nbs.folder().write("mine/bad.so", "these are words, not code");
  nbs.folder().write("a.toml", tiny_with("plugin = \"random\""));
  const auto ended = nbs({"run", "a.toml", "--plugin-path", "mine", "--run-dir", "run", "--progress", "none"});
  CHECK(ended.status == 0);
  const auto bad = (nbs.folder() / "mine" / "bad.so").string();
  CHECK(text(ended.errors) ==
        Contains(("warning: this library of plugins is left out: " + bad + ": it cannot be loaded: ").c_str()));
  CHECK(text(nbs({"plugins", "--plugin-path", "mine"}).errors) == Contains(("refused: " + bad).c_str()));
}

TEST_CASE("the values that tuning tries are listed with a plugin's options") {
  const Program nbs;
  const auto listed = nbs({"plugins", "dense_crf"}).output;
  CHECK(text(listed) == Contains("\n      nbs tune tries "));
  CHECK(nbs({"plugins", "random"}).output.find("nbs tune") == std::string::npos);
}
