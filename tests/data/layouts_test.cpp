// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/data/sample.h"
#include "nbs/data/synthetic.h"

#include "error_text.h"
#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using data::MaskSource;
using doctest::Contains;
using Names = std::vector<std::string>;

namespace {

data::DataOptions generator_options() {
  auto options = test::options_for("synthetic", "");
  options.image_size = 48;
  options.count = 12;
  options.split_seed = 3;
  return options;
}

// The mean absolute difference of two images.
double difference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_L1) / (3.0 * static_cast<double>(a.total()));
}

doctest::String listing_error(const data::DataOptions& options) {
  return test::error_text([&] { data::list_samples(options); });
}

}  // namespace

TEST_CASE("every layout that is exported reads back to the images and masks that were generated") {
  auto options = generator_options();
  for (const std::string layout : {"crackforest", "mvtec", "nanotwice", "folder"}) {
    CAPTURE(layout);
    const test::Scratch scratch;
    data::export_synthetic(scratch.path(), choice_value(layout, data::formats()), options);
    auto reading = options;
    reading.format = choice_value(layout, data::formats());
    reading.root = scratch.path().string();
    const auto listing = data::list_samples(reading);
    // NanoTWICE's test images all show anomalies: the two normal ones of twelve are left out.
    CHECK(listing.samples.size() == (layout == "nanotwice" ? 10 : 12));
    CHECK(listing.auxiliary.size() == (layout == "mvtec" || layout == "nanotwice" ? 3 : 0));
    for (const auto& sample : listing.samples) {
      const auto stem = sample.image.stem().string();
      CAPTURE(stem);
      const auto made = data::synthesize(options.surface, 48, 3, std::stoi(stem));
      CHECK(cv::countNonZero(data::load_mask(sample, reading) != made.mask) == 0);
      // Rounding to 8 bits; JPEG and gray pictures lose more.
      const double allowed = layout == "crackforest" ? 0.02 : layout == "nanotwice" ? 0.2 : 0.0021;
      CHECK(difference(data::load_image(sample, reading), made.image) < allowed);
      if (layout == "mvtec") CHECK(sample.type == made.type);
    }
    for (const auto& sample : listing.auxiliary) {
      CHECK(sample.type == "good");
      CHECK(cv::countNonZero(data::load_mask(sample, reading)) == 0);
    }
  }
  const test::Scratch scratch;
  CHECK(test::error_text([&] { data::export_synthetic(scratch.path(), data::Format::synthetic, options); }) ==
        Contains("choose crackforest, mvtec, nanotwice or folder"));
  scratch.write("file", "");
  CHECK(test::error_text([&] { data::export_synthetic(scratch / "file", data::Format::folder, options); }) ==
        Contains("check that the folder may be written to"));
}

TEST_CASE("a data folder that is missing or empty is named, in every format") {
  const test::Scratch scratch;
  std::filesystem::create_directories(scratch / "empty");
  for (const char* format : {"crackforest", "mvtec", "nanotwice", "folder"}) {
    CAPTURE(format);
    CHECK(listing_error(test::options_for(format, "")) == Contains("data.root is empty"));
    CHECK(listing_error(test::options_for(format, scratch / "none")) ==
          test::text("the data folder " + (scratch / "none").string() +
                     " does not exist or is no folder; set data.root to the folder of the data set"));
    const auto sentence = listing_error(test::options_for(format, scratch / "empty"));
    CHECK(sentence == Contains((scratch / "empty").c_str()));
    CHECK(sentence == Contains("data.root"));
  }
  const auto file = scratch.write("file", "");
  CHECK(listing_error(test::options_for("folder", file)) == Contains("is no folder"));
  for (const char* folder : {"image", "images", "Anomalous/images", "test/crack"})
    std::filesystem::create_directories(scratch / "hollow" / folder);
  scratch.write("hollow/images/readme.txt", "no image");
  for (const char* format : {"crackforest", "mvtec", "nanotwice", "folder"}) {
    CAPTURE(format);
    CHECK(listing_error(test::options_for(format, scratch / "hollow")) == Contains("no image file is"));
  }
}

TEST_CASE("an image without a mask is named, with the mask that is missing") {
  const test::Scratch scratch;
  const auto picture = test::color_picture(4, 4);
  test::write_picture(scratch / "c" / "image" / "007.jpg", picture);
  CHECK(listing_error(test::options_for("crackforest", scratch / "c")) ==
        test::text("the image " + (scratch / "c/image/007.jpg").string() + " has no mask: " +
                   (scratch / "c/groundTruth/007.mat").string() + " does not exist; add it or remove the image"));
  test::write_picture(scratch / "m" / "test" / "scratch" / "003.png", picture);
  test::write_picture(scratch / "m" / "ground_truth" / "scratch" / "003.png", picture);
  CHECK(listing_error(test::options_for("mvtec", scratch / "m")) == Contains("there is no 003_mask in"));
  test::write_picture(scratch / "n" / "Anomalous" / "images" / "ITIA1.tif", picture);
  CHECK(listing_error(test::options_for("nanotwice", scratch / "n")) == Contains("there is no ITIA1_gt in"));
  test::write_folder_layout(scratch / "f", 3, "b");
  std::filesystem::remove(scratch / "f" / "masks" / "b.png");
  const auto sentence = listing_error(test::options_for("folder", scratch / "f"));
  CHECK(sentence == Contains("images/b.png has no mask"));
  CHECK(sentence == Contains("all black for no anomaly"));
}

TEST_CASE("plain folders: with partial masks an image without one is unmarked, and the others keep theirs") {
  const test::Scratch scratch;
  for (const char* name : {"a.png", "b.png"})
    test::write_picture(scratch / "images" / name, test::color_picture(8, 8));
  test::write_picture(scratch / "masks" / "b.png", test::stripe_mask(8, 8, 2, 3));
  auto options = test::options_for("folder", scratch.path(), 1);
  CHECK(test::error_text([&] { data::list_samples(options); }) == Contains("set data.partial_masks = true"));
  options.partial_masks = true;
  const auto listing = data::list_samples(options);
  REQUIRE(listing.samples.size() == 2);
  CHECK(listing.samples[0].mask_source == data::MaskSource::none);
  CHECK(listing.samples[1].mask_source == data::MaskSource::file);
  CHECK(data::draw_split(listing, options).labeled == std::vector<std::int64_t>{1});
}

TEST_CASE("MVTec: types are folders, good has no mask, train/good is kept apart and limited") {
  const test::Scratch scratch;
  const auto picture = test::color_picture(8, 8);
  const auto folder = scratch / "bottle";
  test::write_picture(folder / "test" / "good" / "000.png", picture);
  test::write_picture(folder / "test" / "crack" / "000.png", picture);
  test::write_picture(folder / "ground_truth" / "crack" / "000_mask.png", test::stripe_mask(8, 8, 2, 4));
  for (const char* name : {"002.png", "000.png", "001.png"})
    test::write_picture(folder / "train" / "good" / name, picture);
  auto options = test::options_for("mvtec", scratch.path());
  CHECK(listing_error(options) == Contains("has no folder test"));
  options.category = "bottle";
  const auto listing = data::list_samples(options);
  CHECK(test::ids_of(listing.samples) == Names{"crack_000", "good_000"});
  CHECK(listing.samples[0].mask_source == MaskSource::file);
  CHECK(listing.samples[1].mask_source == MaskSource::all_clear);
  CHECK(test::ids_of(listing.auxiliary) == Names{"train_good_000", "train_good_001", "train_good_002"});
  options.auxiliary = 2;
  CHECK(data::list_samples(options).auxiliary.size() == 2);
  options.auxiliary = 0;
  CHECK(data::list_samples(options).auxiliary.empty());
  options.root = folder.string();
  options.category = "";
  CHECK(test::ids_of(data::list_samples(options).samples) == Names{"crack_000", "good_000"});
}

TEST_CASE("NanoTWICE: masks beside the anomalous images, Normal kept apart") {
  const test::Scratch scratch;
  test::write_picture(scratch / "Anomalous" / "images" / "ITIA1.tif", test::color_picture(8, 8));
  test::write_picture(scratch / "Anomalous" / "gt" / "ITIA1_gt.png", test::stripe_mask(8, 8, 0, 2));
  test::write_picture(scratch / "Normal" / "ITIA50.tif", test::color_picture(8, 8));
  const auto listing = data::list_samples(test::options_for("nanotwice", scratch.path()));
  CHECK(test::ids_of(listing.samples) == Names{"ITIA1"});
  CHECK(listing.samples[0].mask.filename() == "ITIA1_gt.png");
  CHECK(test::ids_of(listing.auxiliary) == Names{"normal_ITIA50"});
}

TEST_CASE("plain folders: any image format, masks of another format, or no masks at all") {
  const test::Scratch scratch;
  const auto picture = test::color_picture(8, 8);
  for (const char* name : {"a.JPG", "b.tiff", "c.bmp", "d.png"})
    test::write_picture(scratch / "images" / name, picture);
  scratch.write("images/notes.txt", "no image");
  const auto options = test::options_for("folder", scratch.path());
  const auto bare = data::list_samples(options);
  CHECK(test::ids_of(bare.samples) == Names{"a", "b", "c", "d"});
  for (const auto& sample : bare.samples)
    CHECK(sample.mask_source == MaskSource::none);
  for (const char* name : {"a.png", "b_mask.png", "c.bmp", "d.tif"})
    test::write_picture(scratch / "masks" / name, test::stripe_mask(8, 8, 0, 2));
  const auto masked = data::list_samples(options);
  CHECK(masked.samples[0].mask.filename() == "a.png");
  CHECK(masked.samples[1].mask.filename() == "b_mask.png");
  CHECK(masked.samples[3].mask.filename() == "d.tif");
}

TEST_CASE("two images that would get the same name are refused, in every format") {
  const test::Scratch scratch;
  const auto picture = test::color_picture(8, 8);
  const auto mask = test::stripe_mask(8, 8, 0, 2);
  // "a.k.png" sorts between the two.
  for (const char* name : {"a.jpg", "a.k.png", "a.png"})
    test::write_picture(scratch / "f" / "images" / name, picture);
  const auto sentence = listing_error(test::options_for("folder", scratch / "f"));
  CHECK(sentence == Contains("a.jpg"));
  CHECK(sentence == Contains("a.png"));
  CHECK(sentence == Contains("rename one of them"));

  for (const char* name : {"001.jpg", "001.png"})
    test::write_picture(scratch / "c" / "image" / name, picture);
  std::filesystem::create_directories(scratch / "c" / "groundTruth");
  data::write_mask_mat(scratch / "c" / "groundTruth" / "001.mat", mask);
  CHECK(listing_error(test::options_for("crackforest", scratch / "c")) == Contains("rename one of them"));

  // The kind of defect and the name are joined: cut_in + 0 and cut + in_0 give one name.
  test::write_picture(scratch / "m" / "test" / "cut_in" / "0.png", picture);
  test::write_picture(scratch / "m" / "test" / "cut" / "in_0.png", picture);
  test::write_picture(scratch / "m" / "ground_truth" / "cut_in" / "0_mask.png", mask);
  test::write_picture(scratch / "m" / "ground_truth" / "cut" / "in_0_mask.png", mask);
  CHECK(listing_error(test::options_for("mvtec", scratch / "m")) == Contains("rename one of them"));
}

TEST_CASE("samples are ordered by id, whatever order the file names sort in") {
  const test::Scratch scratch;
  for (const char* name : {"a-1.png", "a.png", "a_1.png", "B.png"})
    test::write_picture(scratch / "images" / name, test::color_picture(4, 4));
  const auto ids = test::ids_of(data::list_samples(test::options_for("folder", scratch.path())).samples);
  CHECK(ids == Names{"B", "a", "a-1", "a_1"});
}
