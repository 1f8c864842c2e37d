// SPDX-License-Identifier: Apache-2.0
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Ended;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::tiny_pipeline;
namespace fs = std::filesystem;

namespace {

// A data set of six images and masks on disk, and nbs on it.
struct DataSet {
  Program nbs;
  fs::path set = nbs.folder() / "set";

  DataSet() {
    nbs.folder().write("a.toml", tiny_pipeline());
    REQUIRE(nbs({"data", "a.toml", "--export", "set"}).status == 0);
  }
  Ended run(const std::string& more = "train.threads=1") const {
    return nbs({"run", "a.toml", "--progress", "none", "--run-dir", "run", "--set", "data.format=folder", "--set",
                "data.root=set", "--set", more});
  }
  // A run that its data end: exit code 1, the sentence, and no result.
  void check_refused(const std::string& sentence, const std::string& more = "train.threads=1") const {
    const auto ended = run(more);
    CHECK(ended.status == 1);
    CHECK(text(ended.errors) == Contains(sentence.c_str()));
    CHECK_FALSE(fs::exists(nbs.folder() / "run" / "result.json"));
  }
};

}  // namespace

TEST_CASE("the data set as it was written is fine") {
  const DataSet place;
  const auto ended = place.run();
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(fs::exists(place.nbs.folder() / "run" / "result.json"));
}

TEST_CASE("an empty data folder ends the run with the folder that lacks images") {
  const DataSet place;
  fs::remove_all(place.set);
  fs::create_directories(place.set / "images");
  place.check_refused("the images of the data set should be in the folder " + (place.set / "images").string() +
                      ", but no image file is there; check data.root and data.format");
}

TEST_CASE("an image without its mask ends the run") {
  const DataSet place;
  fs::remove(place.set / "masks" / "003.png");
  place.check_refused("the image " + (place.set / "images" / "003.png").string() + " has no mask");
}

TEST_CASE("a mask of another size ends the run with both sizes") {
  const DataSet place;
  for (const auto& entry : fs::directory_iterator(place.set / "masks"))
    cv::imwrite(entry.path().string(), cv::Mat(20, 24, CV_8UC1, cv::Scalar(255)));
  place.check_refused(" is 24 x 20 pixels, but its image ");
}

TEST_CASE("an image that is cut short ends the run") {
  const DataSet place;
  const auto image = place.set / "images" / "004.png";
  fs::resize_file(image, fs::file_size(image) / 2);
  const auto ended = place.run();
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains(image.string().c_str()));  // which reason comes depends on the PNG library
  CHECK_FALSE(fs::exists(place.nbs.folder() / "run" / "result.json"));
}

TEST_CASE("more labeled images than there are ends the run with both numbers") {
  const DataSet place;
  place.check_refused("data.labeled is 7, but the data set has only 6 images; lower it", "data.labeled=7");
}
