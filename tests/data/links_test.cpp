// SPDX-License-Identifier: Apache-2.0
// What a data folder may hold beside files: nothing of it is left out without a word.
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "nbs/data/image.h"
#include "nbs/data/sample.h"

#include "error_text.h"
#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;
namespace fs = std::filesystem;

namespace {

// A small data set in each layout; returns the folder of images and that of masks in it.
struct Layout {
  const char* format;
  const char* images;
  const char* masks;
  const char* extension;
};
constexpr Layout kLayouts[] = {{"crackforest", "image", "groundTruth", ".jpg"},
                               {"mvtec", "test/cut", "ground_truth/cut", ".png"},
                               {"nanotwice", "Anomalous/images", "Anomalous/gt", ".tif"},
                               {"folder", "images", "masks", ".png"}};

fs::path mask_file(const fs::path& root, const Layout& layout, const std::string& stem) {
  const std::string format = layout.format;
  const char* suffix = format == "crackforest" ? ".mat"
                       : format == "mvtec"     ? "_mask.png"
                       : format == "nanotwice" ? "_gt.png"
                                               : ".png";
  return root / layout.masks / (stem + suffix);
}

void write_layout(const fs::path& root, const Layout& layout) {
  for (const char* stem : {"000", "001"}) {
    test::write_picture(root / layout.images / (std::string(stem) + layout.extension), test::colour_picture(8, 8));
    const auto mask = mask_file(root, layout, stem);
    fs::create_directories(mask.parent_path());
    if (mask.extension() == ".mat") {
      data::write_mask_mat(mask, test::stripe_mask(8, 8, 2, 4));
    } else {
      test::write_picture(mask, test::stripe_mask(8, 8, 2, 4));
    }
  }
}

doctest::String listing_error(const Layout& layout, const fs::path& root) {
  return test::error_text([&] { data::list_samples(test::options_for(layout.format, root)); });
}

}  // namespace

TEST_CASE("an image that is a dangling link, a loop of links, a folder or a pipe is an error that names it") {
  for (const auto& layout : kLayouts) {
    CAPTURE(layout.format);
    const test::Scratch scratch;
    write_layout(scratch.path(), layout);
    CHECK(listing_error(layout, scratch.path()) == "no error");
    const auto odd = scratch / layout.images / (std::string("002") + layout.extension);
    fs::create_symlink("nowhere.png", odd);
    CHECK(listing_error(layout, scratch.path()) ==
          test::text(odd.string() + " is a link to nowhere.png, which does not exist; repair or remove it"));
    fs::remove(odd);
    fs::create_symlink(odd.filename(), odd);
    CHECK(listing_error(layout, scratch.path()) ==
          test::text(odd.string() + " cannot be reached: Too many levels of symbolic links; repair or remove it"));
    fs::remove(odd);
    fs::create_directory(odd);
    CHECK(listing_error(layout, scratch.path()) == Contains((odd.string() + " has the name of a file").c_str()));
    CHECK(listing_error(layout, scratch.path()) == Contains("but is a folder"));
    fs::remove(odd);
    REQUIRE(mkfifo(odd.c_str(), 0600) == 0);
    CHECK(listing_error(layout, scratch.path()) == Contains("but is a device, pipe or socket"));
    fs::remove(odd);
    // A link to a file is a file.
    const auto kept = scratch / "kept";
    fs::rename(scratch / layout.images / (std::string("001") + layout.extension), kept);
    fs::create_symlink(kept, scratch / layout.images / (std::string("001") + layout.extension));
    CHECK(data::list_samples(test::options_for(layout.format, scratch.path())).samples.size() == 2);
  }
}

TEST_CASE("a mask that is a dangling link, a loop of links or a folder is an error that names it") {
  for (const auto& layout : kLayouts) {
    CAPTURE(layout.format);
    const test::Scratch scratch;
    write_layout(scratch.path(), layout);
    const auto mask = mask_file(scratch.path(), layout, "001");
    fs::remove(mask);
    fs::create_symlink("nowhere", mask);
    CHECK(listing_error(layout, scratch.path()) ==
          test::text(mask.string() + " is a link to nowhere, which does not exist; repair or remove it"));
    fs::remove(mask);
    fs::create_symlink(mask.filename(), mask);
    CHECK(listing_error(layout, scratch.path()) == Contains((mask.string() + " cannot be reached").c_str()));
    fs::remove(mask);
    fs::create_directory(mask);
    CHECK(listing_error(layout, scratch.path()) == Contains((mask.string() + " has the name of a file").c_str()));
  }
}

TEST_CASE("a folder of masks or of a type that is a link to nowhere is not taken for one that is not there") {
  const test::Scratch scratch;
  test::write_picture(scratch / "f/images/a.png", test::colour_picture(8, 8));
  fs::create_symlink("nowhere", scratch / "f/masks");
  CHECK(listing_error(kLayouts[3], scratch / "f") == Contains("f/masks is a link to nowhere, which does not exist"));
  fs::remove(scratch / "f/masks");
  scratch.write("f/masks", "");
  CHECK(listing_error(kLayouts[3], scratch / "f") == Contains("f/masks should be a folder, but is a file"));
  write_layout(scratch / "m", kLayouts[1]);
  scratch.write("m/test/license.txt", "no type");
  CHECK(listing_error(kLayouts[1], scratch / "m") == "no error");
  fs::create_symlink("nowhere", scratch / "m/test/crack");
  CHECK(listing_error(kLayouts[1], scratch / "m") == Contains("m/test/crack is a link to nowhere"));
  fs::remove(scratch / "m/test/crack");
  fs::create_symlink("crack", scratch / "m/test/crack");
  CHECK(listing_error(kLayouts[1], scratch / "m") == Contains("m/test/crack cannot be reached"));
  fs::remove(scratch / "m/test/crack");
  test::write_picture(scratch / "m/test/lost.png", test::colour_picture(8, 8));
  CHECK(listing_error(kLayouts[1], scratch / "m") == Contains("lost.png lies beside the folders"));
  fs::create_symlink("loop", scratch / "loop");
  CHECK(listing_error(kLayouts[3], scratch / "loop") == Contains("loop does not exist or is no folder"));
}

TEST_CASE("files that may not be read are named before training, masks too") {
  if (geteuid() == 0) {
    MESSAGE("skipped: the superuser may read everything");
    return;
  }
  for (const auto& layout : kLayouts) {
    const test::Scratch scratch;
    write_layout(scratch.path(), layout);
    const auto mask = mask_file(scratch.path(), layout, "001");
    fs::permissions(mask, fs::perms::none);
    CHECK(listing_error(layout, scratch.path()) == Contains((mask.string() + " may not be read").c_str()));
  }
}

TEST_CASE("two masks for one image are refused with both names") {
  const test::Scratch scratch;
  test::write_folder_layout(scratch.path(), 2, "a");
  test::write_picture(scratch / "masks/a.bmp", test::stripe_mask(24, 32, 0, 2));
  const auto twice = listing_error(kLayouts[3], scratch.path());
  CHECK(twice == Contains("masks/a.bmp"));
  CHECK(twice == Contains("masks/a.png"));
  CHECK(twice == Contains("cannot be told which is meant"));
  fs::rename(scratch / "masks/a.bmp", scratch / "masks/a_mask.bmp");
  const auto both = listing_error(kLayouts[3], scratch.path());
  CHECK(both == Contains("masks/a_mask.bmp"));
  CHECK(both == Contains("are both masks of the image a"));
  // Unless it is another image's own.
  test::write_picture(scratch / "images/a_mask.png", test::colour_picture(24, 32));
  CHECK(listing_error(kLayouts[3], scratch.path()) == "no error");
}

TEST_CASE("a JPEG mask is refused before training, and by its content when it has another name") {
  const test::Scratch scratch;
  test::write_folder_layout(scratch.path(), 2, "a");
  fs::remove(scratch / "masks/a.png");
  test::write_picture(scratch / "masks/a.jpg", test::stripe_mask(24, 32, 8, 13));
  CHECK(listing_error(kLayouts[3], scratch.path()) == Contains("masks/a.jpg is a JPEG file"));
  CHECK(listing_error(kLayouts[3], scratch.path()) == Contains("save it as PNG"));
  fs::rename(scratch / "masks/a.jpg", scratch / "masks/a.png");
  CHECK(test::error_text([&] { data::read_mask_image(scratch / "masks/a.png"); }) == Contains("is a JPEG file"));
}

TEST_CASE("lossy WebP and JPEG 2000 masks are refused for their grey pixels; two values are fine") {
  const test::Scratch scratch;
  cv::Mat soft = test::stripe_mask(80, 96, 8, 13);
  soft.at<unsigned char>(3, 7) = 9;
  for (const char* name : {"a.webp", "a.jp2"}) {
    CAPTURE(name);
    // Written without a loss, so that the grey pixel is the only one.
    test::write_picture(scratch / name, soft);
    const auto sentence = test::error_text([&] { data::read_mask_image(scratch / name); });
    CHECK(sentence == Contains("pixels between its darkest and its brightest value"));
    test::write_picture(scratch / name, cv::Mat(80, 96, CV_8UC1, cv::Scalar(0)));
    CHECK(cv::countNonZero(data::read_mask_image(scratch / name)) == 0);
  }
  // Formats without a loss keep their meaning: whatever is not black is anomalous.
  test::write_picture(scratch / "a.png", soft);
  CHECK(cv::countNonZero(data::read_mask_image(scratch / "a.png")) == 80 * 5 + 1);
}

TEST_CASE("the name of an image that is no UTF-8 is refused when the data set is listed") {
  const test::Scratch scratch;
  test::write_picture(scratch / "images/a.png", test::colour_picture(8, 8));
  fs::rename(scratch / "images/a.png", scratch / "images/a\xFF.png");
  CHECK(listing_error(kLayouts[3], scratch.path()) == Contains("is not UTF-8; rename it"));
}

TEST_CASE("images for prediction: what is no file is named when it is read, and the others stay") {
  const test::Scratch scratch;
  test::write_picture(scratch / "new/a.png", test::colour_picture(8, 8));
  fs::create_symlink("nowhere", scratch / "new/b.png");
  fs::create_directory(scratch / "new/c.png");
  const auto files = data::image_files_among({scratch / "new"});
  REQUIRE(files.size() == 3);
  CHECK(test::error_text([&] { data::read_image(files[1]); }) == Contains("b.png cannot be opened"));
  CHECK(test::error_text([&] { data::read_image(files[2]); }) == Contains("c.png cannot be opened"));
  fs::create_symlink("loop.png", scratch / "loop.png");
  const auto loop = data::image_files_among({scratch / "loop.png"});
  CHECK(test::error_text([&] { data::read_image(loop.at(0)); }) == Contains("loop.png cannot be opened"));
}
