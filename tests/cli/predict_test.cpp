// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "nbs/base/hash.h"

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;
namespace fs = std::filesystem;

namespace {

// A finished run in the folder "run", with an image beside it.
const Program& finished() {
  static const Program nbs;
  static const bool made = [] {
    nbs.folder().write("a.toml", nbs::test::tiny_pipeline() + "[[postproc]]\nplugin = \"morphology\"\n");
    const auto ended = nbs({"run", "a.toml", "--run-dir", "run", "--progress", "none"});
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    cv::imwrite((nbs.folder() / "image.png").string(), cv::Mat(40, 50, CV_8UC3, cv::Scalar(9, 90, 200)));
    return true;
  }();
  REQUIRE(made);
  return nbs;
}

// A copy of the run that a test may damage.
fs::path copy_of_run(const std::string& name) {
  const auto& folder = finished().folder();
  fs::copy(folder / "run", folder / name, fs::copy_options::recursive);
  return folder / name;
}

nlohmann::ordered_json result_of(const fs::path& run) {
  return nlohmann::ordered_json::parse(nbs::read_file(run / "result.json"));
}

}  // namespace

TEST_CASE("a file whose name looks like an option is masked after --, and refused without") {
  const auto& nbs = finished();
  for (const char* name : {"--weird.png", "-w.png", "--out"}) {
    CAPTURE(name);
    fs::copy_file(nbs.folder() / "image.png", nbs.folder() / name, fs::copy_options::overwrite_existing);
    const auto stem = fs::path(name).stem().string();
    const auto ended = nbs({"predict", "run", "--out", "masks", "--", name});
    CHECK(ended.status == 0);
    CHECK(fs::exists(nbs.folder() / "masks" / (stem + ".mask.png")));
    // As a shell's *.png gives it.
    const auto bare = nbs({"predict", "run", name});
    CHECK(bare.status == 2);
    CHECK(text(bare.errors) == Contains("Run nbs predict --help"));
  }
}

TEST_CASE("folders whose names look like options are used as they are") {
  const auto& nbs = finished();
  const auto trained = nbs({"run", "a.toml", "--run-dir=--foo", "--progress", "none", "--set", "train.iterations=3"});
  INFO(trained.errors);
  CHECK(trained.status == 0);
  const auto ended = nbs({"predict", "--out=--bar", "--", "--foo", "image.png"});
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(fs::exists(nbs.folder() / "--bar" / "image.mask.png"));
}

TEST_CASE("no image is written over, and one that is named twice is masked once") {
  const auto& nbs = finished();
  const auto folder = nbs.folder() / "own";
  fs::create_directories(folder);
  fs::copy_file(nbs.folder() / "image.png", folder / "a.png");
  REQUIRE(nbs({"predict", "run", "own/a.png", "own", "--out", "own"}).status == 0);
  const auto mask = nbs::read_file(folder / "a.mask.png");
  // The second time the first one's masks are images of that folder, and one of them would be replaced.
  const auto again = nbs({"predict", "run", "own", "--out", "own"});
  CHECK(again.status == 1);
  CHECK(text(again.errors) == Contains("a.mask.png would be written over by what is made of a; choose another folder"));
  CHECK(nbs::read_file(folder / "a.mask.png") == mask);
  CHECK_FALSE(fs::exists(folder / "a.mask.mask.png"));
  const auto file = nbs({"predict", "run", "own/a.png", "--out", "own/a.png"});
  CHECK(file.status == 1);
  CHECK(text(file.errors) == Contains("the folder own/a.png for the masks cannot be made"));
}

TEST_CASE("an image that cannot be read, or whose mask cannot be written, costs no other its mask") {
  const auto& nbs = finished();
  const auto& folder = nbs.folder();
  for (const char* name : {"one", "three", "four", "five"})
    fs::copy_file(folder / "image.png", folder / (std::string(name) + ".png"));
  folder.write("two.png", "no picture");
  fs::create_directories(folder / "some" / "three.mask.png" / "in the way");
  fs::create_directories(folder / "some" / "five.overlay.png" / "in the way");
  const auto ended =
      nbs({"predict", "run", "one.png", "two.png", "three.png", "four.png", "five.png", "--out", "some"});
  CHECK(ended.status == 1);
  for (const char* name : {"two.png", "some/three.mask.png", "some/five.overlay.png"})
    CHECK(text(ended.errors) == Contains(name));
  for (const char* name : {"one", "four"}) {
    for (const char* ending : {".mask.png", ".probability.png", ".overlay.png"})
      CHECK(fs::is_regular_file(folder / "some" / (std::string(name) + ending)));
  }
  CHECK(fs::is_regular_file(folder / "some" / "five.mask.png"));
}

TEST_CASE("a threshold is a decimal number from 0 to 1, and anything else wrong use") {
  const auto& nbs = finished();
  for (const char* threshold : {"nan", "inf", "1e-400", "0x1p-2", "0,5", "1.01", "-0.1", "", "half"}) {
    CAPTURE(threshold);
    const auto ended = nbs({"predict", "run", "image.png", std::string("--threshold=") + threshold});
    CHECK(ended.status == 2);
    CHECK(text(ended.errors) == Contains(threshold));
    CHECK(ended.errors.find("stod") == std::string::npos);
  }
  for (const char* threshold : {"0", "1", "0.25", "1e-3"}) {
    CAPTURE(threshold);
    CHECK(nbs({"predict", "run", "image.png", "--out", "cut", "--threshold", threshold}).status == 0);
  }
}

TEST_CASE("a model that is damaged, of another run or of an earlier version makes no mask and says why") {
  const auto& nbs = finished();
  const auto said = [&](const std::string& run) {
    const auto ended = nbs({"predict", run, "image.png", "--out", run + "-masks"});
    CHECK(ended.status == 1);
    CHECK_FALSE(fs::exists(nbs.folder() / (run + "-masks")));
    CHECK(ended.errors.find("frame #") == std::string::npos);
    // `nbs tune` reads the same files.
    const auto tuned = nbs({"tune", run});
    CHECK(tuned.status == 1);
    CHECK(tuned.errors == ended.errors);
    return ended.errors;
  };
  const auto flipped = copy_of_run("flipped") / "model" / "predictor.safetensors";
  auto bytes = nbs::read_file(flipped);
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 16);
  nbs::write_file(flipped, bytes);
  CHECK(text(said("flipped")) == Contains("the model file flipped/model/predictor.safetensors has the SHA-256 "));

  const auto cut = copy_of_run("cut") / "model" / "autoencoders.safetensors";
  fs::resize_file(cut, 1000);
  CHECK(text(said("cut")) == Contains("the model file cut/model/autoencoders.safetensors has the SHA-256 "));

  // Another pipeline's model, and with it the hash: the shapes tell.
  REQUIRE(nbs({"run", "a.toml", "--run-dir", "wide", "--progress", "none", "--set", "predictor.channels=5"}).status ==
          0);
  const auto swapped = copy_of_run("swapped");
  fs::copy_file(nbs.folder() / "wide" / "model" / "predictor.safetensors", swapped / "model" / "predictor.safetensors",
                fs::copy_options::overwrite_existing);
  auto result = result_of(swapped);
  result["model"]["predictor.safetensors"] = nbs::file_sha256(swapped / "model" / "predictor.safetensors");
  result.erase("checksum");
  nbs::write_file(swapped / "result.json", result.dump());
  const auto sentence = said("swapped");
  CHECK(text(sentence) == Contains("predictor \"dilated\", load(): the tensor \"parameter."));
  CHECK(text(sentence) == Contains("of swapped/model/predictor.safetensors has the shape"));

  const auto old = copy_of_run("old");
  result = result_of(old);
  result.erase("model");
  result.erase("checksum");
  nbs::write_file(old / "result.json", result.dump());
  nbs::write_file(old / "model" / "predictor.pt", "PK");
  CHECK(text(said("old")) == Contains("old/model/predictor.pt was made by an earlier version of nbs"));

  const auto torn = copy_of_run("torn");
  nbs::write_file(torn / "result.json", nbs::read_file(torn / "result.json").substr(0, 40));
  CHECK(said("torn") == "torn/result.json is damaged: it is no JSON; copy the run's folder again, or run it again\n");
}
