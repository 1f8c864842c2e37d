// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/image.h"

#include <map>
#include <string>

#include <doctest/doctest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "error_text.h"
#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using doctest::Approx;
using doctest::Contains;

TEST_CASE("colors come out as red, green, blue in [0, 1]") {
  const test::Scratch scratch;
  const cv::Mat bgr = (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(51, 102, 255), cv::Vec3b(0, 204, 0));
  test::write_picture(scratch / "a.png", bgr);
  const cv::Mat image = data::read_image(scratch / "a.png");
  REQUIRE(image.type() == CV_32FC3);
  CHECK(image.at<cv::Vec3f>(0, 0)[0] == Approx(1.0));
  CHECK(image.at<cv::Vec3f>(0, 0)[1] == Approx(0.4));
  CHECK(image.at<cv::Vec3f>(0, 0)[2] == Approx(0.2));
  CHECK(image.at<cv::Vec3f>(0, 1)[1] == Approx(0.8));
}

TEST_CASE("gray, 16 bit, alpha and floating images are read to the same range") {
  const test::Scratch scratch;
  test::write_picture(scratch / "gray.png", cv::Mat(3, 5, CV_8UC1, cv::Scalar(51)));
  test::write_picture(scratch / "deep.png", cv::Mat(3, 5, CV_16UC1, cv::Scalar(13107)));
  test::write_picture(scratch / "deep_color.png", cv::Mat(3, 5, CV_16UC3, cv::Scalar(65535, 0, 13107)));
  test::write_picture(scratch / "alpha.png", cv::Mat(3, 5, CV_8UC4, cv::Scalar(255, 0, 51, 7)));
  test::write_picture(scratch / "real.tif", cv::Mat(3, 5, CV_32FC1, cv::Scalar(0.2)));
  test::write_picture(scratch / "beyond.tif", cv::Mat(3, 5, CV_32FC1, cv::Scalar(1.09)));
  for (const char* name : {"gray.png", "deep.png", "real.tif"}) {
    CAPTURE(name);
    const cv::Mat image = data::read_image(scratch / name);
    REQUIRE(image.type() == CV_32FC3);
    CHECK(image.size() == cv::Size(5, 3));
    for (int c = 0; c < 3; ++c)
      CHECK(image.at<cv::Vec3f>(2, 4)[c] == Approx(0.2));
  }
  for (const char* name : {"deep_color.png", "alpha.png"}) {
    CAPTURE(name);
    const cv::Mat image = data::read_image(scratch / name);
    REQUIRE(image.type() == CV_32FC3);
    CHECK(image.at<cv::Vec3f>(1, 1)[0] == Approx(0.2));
    CHECK(image.at<cv::Vec3f>(1, 1)[1] == Approx(0.0));
    CHECK(image.at<cv::Vec3f>(1, 1)[2] == Approx(1.0));
  }
  CHECK(data::read_image(scratch / "beyond.tif").at<cv::Vec3f>(0, 0)[0] == 1.0F);
}

TEST_CASE("a mask is anomalous wherever its file is not zero, in any channel and depth") {
  const test::Scratch scratch;
  cv::Mat gray = cv::Mat::zeros(2, 3, CV_8UC1);
  gray.at<unsigned char>(0, 1) = 1;
  gray.at<unsigned char>(1, 2) = 255;
  cv::Mat deep;
  gray.convertTo(deep, CV_16U);
  cv::Mat blue = cv::Mat::zeros(2, 3, CV_8UC3);
  blue.at<cv::Vec3b>(0, 1) = {9, 0, 0};
  blue.at<cv::Vec3b>(1, 2) = {0, 0, 200};
  // Opaque black must not count as anomalous because of its alpha.
  cv::Mat alpha;
  cv::cvtColor(blue, alpha, cv::COLOR_BGR2BGRA);
  test::write_picture(scratch / "gray.png", gray);
  test::write_picture(scratch / "deep.png", deep);
  test::write_picture(scratch / "blue.png", blue);
  test::write_picture(scratch / "alpha.png", alpha);
  for (const char* name : {"gray.png", "deep.png", "blue.png", "alpha.png"}) {
    CAPTURE(name);
    const cv::Mat mask = data::read_mask_image(scratch / name);
    REQUIRE(mask.type() == CV_8UC1);
    CHECK(cv::countNonZero(mask) == 2);
    CHECK(mask.at<unsigned char>(0, 1) == 1);
    CHECK(mask.at<unsigned char>(1, 2) == 1);
  }
}

TEST_CASE("files that are missing or no image are named") {
  const test::Scratch scratch;
  scratch.write("text.png", "this is no image");
  scratch.write("empty.png", "");
  std::filesystem::create_directories(scratch / "folder.png");
  CHECK(test::error_text([&] { data::read_image(scratch / "none.png"); }) ==
        test::text("the file " + (scratch / "none.png").string() +
                   " cannot be opened (No such file or directory); check that it exists and may be read"));
  CHECK(test::error_text([&] { data::read_image(scratch / "text.png"); }) ==
        test::text("the file " + (scratch / "text.png").string() +
                   " (16 bytes) is not an image that can be read; replace it"));
  CHECK(test::error_text([&] { data::read_image(scratch / "empty.png"); }) ==
        Contains("empty.png (0 bytes) is not an image"));
  CHECK(test::error_text([&] { data::read_image(scratch / "folder.png"); }) == Contains("folder.png cannot be opened"));
  CHECK(test::error_text([&] { data::read_mask_image(scratch / "none.png"); }) == Contains("cannot be opened"));
}

TEST_CASE("an image that is cut short is refused, in every format and at any place") {
  const test::Scratch scratch;
  for (const char* name : {"a.png", "a.jpg", "a.tif", "a.bmp", "a.webp", "a.pgm", "a.ppm", "a.jp2"}) {
    const std::string text = name;
    cv::Mat picture = test::color_picture(60, 80);
    if (text == "a.pgm") cv::cvtColor(picture, picture, cv::COLOR_BGR2GRAY);
    test::write_picture(scratch / name, picture);
    const auto whole = test::read_bytes(scratch / name);
    CHECK(data::read_image(scratch / name).size() == cv::Size(80, 60));
    for (const double share : {0.02, 0.3, 0.6, 0.9, 0.99}) {
      CAPTURE(name);
      CAPTURE(share);
      test::write_bytes(scratch / name,
                        whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
      const auto sentence = test::error_text([&] { data::read_image(scratch / name); });
      CHECK(sentence == Contains(name));
      CHECK(sentence == Contains("bytes"));
    }
  }
}

TEST_CASE("a folder stands for the images directly in it; names that would collide are refused") {
  const test::Scratch scratch;
  for (const char* name : {"new/b.png", "new/a.JPG", "new/notes.txt", "new/deeper/c.png", "other/a.png", "none/x.txt"})
    scratch.write(name, "");
  const auto files = data::image_files_among({scratch / "other" / "z.png", scratch / "new"});
  // A file that is named is taken as it is: whether it can be read is said when it is read.
  CHECK(files == std::vector<std::filesystem::path>{scratch / "other" / "z.png", scratch / "new" / "a.JPG",
                                                    scratch / "new" / "b.png"});
  CHECK(test::error_text([&] { data::image_files_among({scratch / "none"}); }) == Contains("holds no image file"));
  const auto collision = test::error_text([&] { data::image_files_among({scratch / "new", scratch / "other"}); });
  CHECK(collision == Contains("new/a.JPG"));
  CHECK(collision == Contains("other/a.png"));
}

TEST_CASE("bytes after the end of an image do no harm") {
  const test::Scratch scratch;
  for (const char* name : {"a.png", "a.jpg"}) {
    CAPTURE(name);
    test::write_picture(scratch / name, test::color_picture(20, 20));
    test::write_bytes(scratch / name, test::read_bytes(scratch / name) + std::string(200, '\0'));
    CHECK(data::read_image(scratch / name).size() == cv::Size(20, 20));
  }
}

TEST_CASE("shrinking an image averages areas") {
  const cv::Mat image = [] {
    cv::Mat bytes = test::color_picture(32, 96);
    cv::Mat real;
    bytes.convertTo(real, CV_32F, 1.0 / 255);
    return real;
  }();
  const cv::Mat small = data::resize_image(image, {16, 16});
  REQUIRE(small.size() == cv::Size(16, 16));
  // 32 x 96 -> 16 x 16: each pixel is the mean of 2 x 6.
  double worst = 0;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const cv::Scalar mean = cv::mean(image(cv::Rect(6 * x, 2 * y, 6, 2)));
      for (int c = 0; c < 3; ++c)
        worst = std::max(worst, std::abs(mean[c] - static_cast<double>(small.at<cv::Vec3f>(y, x)[c])));
    }
  }
  CHECK(worst < 1e-5);
}

TEST_CASE("a mask is resized by nearest neighbor, whatever the aspect ratio") {
  for (const auto& extent : {cv::Size(32, 48), cv::Size(7, 90), cv::Size(5, 3), cv::Size(16, 16), cv::Size(1, 40)}) {
    CAPTURE(extent.width);
    CAPTURE(extent.height);
    cv::Mat mask(extent, CV_8UC1);
    for (int y = 0; y < extent.height; ++y) {
      for (int x = 0; x < extent.width; ++x)
        mask.at<unsigned char>(y, x) = static_cast<unsigned char>((x * 7 + y * 3) % 5 == 0);
    }
    const cv::Mat resized = data::resize_mask(mask, {16, 16});
    REQUIRE(resized.size() == cv::Size(16, 16));
    int wrong = 0;
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 16; ++x)
        wrong +=
            resized.at<unsigned char>(y, x) == mask.at<unsigned char>(y * extent.height / 16, x * extent.width / 16)
                ? 0
                : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a sample's image and mask become S x S from any size, larger or smaller") {
  const test::Scratch scratch;
  int number = 0;
  for (const auto& extent : {cv::Size(100, 20), cv::Size(9, 70), cv::Size(4, 4), cv::Size(1, 1)}) {
    CAPTURE(extent.width);
    data::Sample sample;
    sample.image = scratch / (std::to_string(++number) + ".png");
    sample.mask = scratch / (std::to_string(number) + "_mask.png");
    sample.mask_source = data::MaskSource::file;
    test::write_picture(sample.image, test::color_picture(extent.height, extent.width));
    test::write_picture(sample.mask, cv::Mat(extent, CV_8UC1, cv::Scalar(255)));
    const auto options = test::options_for("folder", scratch.path());
    CHECK(data::load_image(sample, options).size() == cv::Size(16, 16));
    CHECK(cv::countNonZero(data::load_mask(sample, options)) == 16 * 16);
  }
}

TEST_CASE("a mask of another size than its image is refused with both sizes") {
  const test::Scratch scratch;
  data::Sample sample;
  sample.image = scratch / "a.png";
  sample.mask = scratch / "a_mask.png";
  sample.mask_source = data::MaskSource::file;
  test::write_picture(sample.image, test::color_picture(24, 32));
  test::write_picture(sample.mask, test::stripe_mask(32, 24, 0, 2));
  CHECK(test::error_text([&] { data::load_mask(sample, test::options_for("folder", scratch.path())); }) ==
        test::text("the mask " + sample.mask.string() + " is 24 x 32 pixels, but its image " + sample.image.string() +
                   " is 32 x 24; they must be the same size (both are taken upright, as the files say that they are to "
                   "be shown)"));
}

TEST_CASE("a sample without a mask says so; one that the layout calls normal has an empty mask") {
  const test::Scratch scratch;
  data::Sample sample;
  sample.image = scratch / "a.png";
  const auto options = test::options_for("folder", scratch.path());
  CHECK(test::error_text([&] { data::load_mask(sample, options); }) ==
        test::text("the image " + sample.image.string() + " has no mask"));
  sample.mask_source = data::MaskSource::all_clear;
  const cv::Mat mask = data::load_mask(sample, options);
  CHECK(mask.size() == cv::Size(16, 16));
  CHECK(cv::countNonZero(mask) == 0);
}

TEST_CASE("images are upright, as their files say that they are to be shown") {
  const test::Scratch scratch;
  const cv::Mat drawn = test::color_picture(6, 10);
  const auto expected = [](const cv::Mat& stored, int orientation) {
    cv::Mat picture;
    switch (orientation) {  // as the EXIF standard describes where row 0 and column 0 of the stored picture belong
      case 2:
        cv::flip(stored, picture, 1);
        break;
      case 3:
        cv::rotate(stored, picture, cv::ROTATE_180);
        break;
      case 4:
        cv::flip(stored, picture, 0);
        break;
      case 5:
        cv::transpose(stored, picture);
        break;
      case 6:
        cv::rotate(stored, picture, cv::ROTATE_90_CLOCKWISE);
        break;
      case 7:
        cv::rotate(stored, picture, cv::ROTATE_180);
        cv::transpose(picture, picture);
        break;
      case 8:
        cv::rotate(stored, picture, cv::ROTATE_90_COUNTERCLOCKWISE);
        break;
      default:
        picture = stored;
    }
    return picture;
  };
  std::map<std::string, cv::Mat> stored;  // 0 is no orientation, so the picture stays as it is
  for (int orientation = 0; orientation <= 9; ++orientation) {
    CAPTURE(orientation);
    for (const auto& [name, bytes] : test::with_orientation(drawn, orientation)) {
      CAPTURE(name);
      test::write_bytes(scratch / name, bytes);
      if (orientation == 0) stored[name] = data::read_stored_image(scratch / name);  // JPEG is not exact
      const cv::Mat picture = expected(stored[name], orientation);
      const cv::Mat read = data::read_stored_image(scratch / name);
      REQUIRE(read.size() == picture.size());
      CHECK(data::size_of_image(scratch / name) == picture.size());
      CHECK(cv::norm(read, picture, cv::NORM_INF) == 0);
      if (name != "a.jpg") CHECK(cv::norm(stored[name], drawn, cv::NORM_INF) == 0);
    }
  }
}

TEST_CASE("floating numbers far from 0 to 1 are no image") {
  const test::Scratch scratch;
  cv::Mat picture(8, 8, CV_32FC1, cv::Scalar(1.0625));
  picture.at<float>(0, 0) = 0;
  test::write_picture(scratch / "a.tif", picture);
  CHECK(data::read_image(scratch / "a.tif").at<cv::Vec3f>(1, 0) == cv::Vec3f(1, 1, 1));
  picture.at<float>(3, 4) = 255;
  test::write_picture(scratch / "a.tif", picture);
  CHECK(
      test::error_text([&] { data::read_image(scratch / "a.tif"); }) ==
      test::text("the image " + (scratch / "a.tif").string() +
                 " holds floating numbers from 0 to 255, but black is 0 and white is 1; scale them, or save it with 8 "
                 "or 16 bits"));
}
