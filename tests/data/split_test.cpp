// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/split.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/data/remarks.h"

#include "error_text.h"
#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;
using Indices = std::vector<std::int64_t>;

namespace {

// Samples whose kinds of defect the layout names; no file is ever opened.
data::Listing typed_listing(int count, const std::set<int>& anomalous) {
  data::Listing listing;
  for (int i = 0; i < count; ++i) {
    data::Sample sample;
    sample.id = "s" + std::to_string(i);
    sample.image = "/none/" + sample.id + ".png";
    sample.type = anomalous.count(i) != 0 ? "crack" : "good";
    sample.mask_source = anomalous.count(i) != 0 ? data::MaskSource::file : data::MaskSource::all_clear;
    listing.samples.push_back(sample);
  }
  return listing;
}

bool any_of(const Indices& indices, const std::set<int>& wanted) {
  return std::any_of(indices.begin(), indices.end(),
                     [&](std::int64_t index) { return wanted.count(static_cast<int>(index)) != 0; });
}

}  // namespace

TEST_CASE("a permutation holds every index once and depends on the seed alone") {
  for (const std::int64_t count : {0, 1, 2, 17, 500}) {
    auto order = data::permutation(count, 7);
    CHECK(order == data::permutation(count, 7));
    std::sort(order.begin(), order.end());
    REQUIRE(order.size() == static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
      CHECK(order[static_cast<std::size_t>(i)] == i);
  }
  CHECK(data::permutation(17, 7) != data::permutation(17, 8));
}

TEST_CASE("the permutation is the same on every platform") {
  // Fisher and Yates on the 64 bit Mersenne Twister, worked out apart from this program.
  CHECK(data::permutation(8, 0) == Indices{4, 5, 2, 0, 7, 1, 3, 6});
  CHECK(data::permutation(8, 5489) == Indices{3, 4, 7, 0, 5, 2, 1, 6});
}

TEST_CASE("every order is as likely as another") {
  // 6 orders of 3 things over 6000 seeds: 1000 each, deviation 29.
  std::map<Indices, int> times;
  for (std::uint64_t seed = 0; seed < 6000; ++seed)
    ++times[data::permutation(3, seed)];
  REQUIRE(times.size() == 6);
  for (const auto& [order, count] : times)
    CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("a split has the wanted number of labeled images, and every image once") {
  const auto listing = typed_listing(20, {0, 5, 11});
  for (const std::int64_t labeled : {0, 1, 5, 20}) {
    CAPTURE(labeled);
    const auto options = test::options_for("mvtec", "/none", labeled);
    const auto split = data::draw_split(listing, options);
    CHECK(split.labeled.size() == static_cast<std::size_t>(labeled));
    CHECK(split.unlabeled.size() == static_cast<std::size_t>(20 - labeled));
    CHECK(std::is_sorted(split.labeled.begin(), split.labeled.end()));
    CHECK(std::is_sorted(split.unlabeled.begin(), split.unlabeled.end()));
    std::set<std::int64_t> all(split.labeled.begin(), split.labeled.end());
    all.insert(split.unlabeled.begin(), split.unlabeled.end());
    CHECK(all.size() == 20);
    const auto again = data::draw_split(listing, options);
    CHECK(again.labeled == split.labeled);
  }
}

TEST_CASE("the split's seed changes the split") {
  const auto listing = typed_listing(40, {0});
  auto options = test::options_for("mvtec", "/none", 5);
  options.min_anomalous = 0;
  std::set<Indices> drawn;
  for (options.split_seed = 0; options.split_seed < 20; ++options.split_seed)
    drawn.insert(data::draw_split(listing, options).labeled);
  CHECK(drawn.size() == 20);
}

TEST_CASE("at least one labeled image is anomalous, and the others stay as they were drawn") {
  const std::set<int> anomalous = {13, 31};
  const auto listing = typed_listing(40, anomalous);
  auto options = test::options_for("mvtec", "/none", 4);
  int exchanged = 0;
  for (options.split_seed = 0; options.split_seed < 50; ++options.split_seed) {
    options.min_anomalous = 0;
    const auto plain = data::draw_split(listing, options);
    options.min_anomalous = 1;
    const auto split = data::draw_split(listing, options);
    CHECK(split.labeled.size() == 4);
    CHECK(any_of(split.labeled, anomalous));
    if (any_of(plain.labeled, anomalous)) {
      CHECK(split.labeled == plain.labeled);
      continue;
    }
    ++exchanged;
    Indices common;
    std::set_intersection(plain.labeled.begin(), plain.labeled.end(), split.labeled.begin(), split.labeled.end(),
                          std::back_inserter(common));
    CHECK(common.size() == 3);
  }
  CHECK(exchanged > 20);
}

TEST_CASE(
    "as many labeled images as wanted are anomalous: the last clean ones are exchanged for the next in the order") {
  const std::set<int> anomalous = {3, 8, 13, 22, 31};
  const auto listing = typed_listing(40, anomalous);
  auto options = test::options_for("mvtec", "/none", 4);
  options.min_anomalous = 3;
  for (options.split_seed = 0; options.split_seed < 30; ++options.split_seed) {
    CAPTURE(options.split_seed);
    // The rule written out: those of the first four that show one, the next that do, and clean ones from the front.
    const auto order = data::permutation(40, static_cast<std::uint64_t>(options.split_seed));
    const auto shows = [&](std::int64_t index) { return anomalous.count(static_cast<int>(index)) > 0; };
    const auto own = std::count_if(order.begin(), order.begin() + 4, shows);
    Indices expected;
    std::int64_t wanted = std::max<std::int64_t>(3, own);
    std::int64_t clean = 4 - wanted;
    for (const auto index : order) {
      auto& left = shows(index) ? wanted : clean;
      if (left == 0) continue;
      --left;
      expected.push_back(index);
    }
    std::sort(expected.begin(), expected.end());
    CHECK(data::draw_split(listing, options).labeled == expected);
  }
  options.min_anomalous = 5;
  CHECK(test::error_text([&] { data::draw_split(listing, options); }) ==
        "data.min_anomalous is 5, but only 4 images are labeled (data.labeled); lower it");
  options.labeled = 8;
  options.min_anomalous = 6;
  CHECK(test::error_text([&] { data::draw_split(listing, options); }) ==
        "only 5 images of the data set show an anomaly, fewer than data.min_anomalous (6); lower it");
}

TEST_CASE("more labeled images than there are is refused with both numbers") {
  const auto listing = typed_listing(6, {0});
  CHECK(test::error_text([&] { data::draw_split(listing, test::options_for("mvtec", "/none", 7)); }) ==
        "data.labeled is 7, but the data set has only 6 images; lower it");
}

TEST_CASE("a data set without any anomaly is refused unless the option allows it") {
  const auto listing = typed_listing(6, {});
  auto options = test::options_for("mvtec", "/none", 2);
  const auto sentence = test::error_text([&] { data::draw_split(listing, options); });
  CHECK(sentence == Contains("no image of the data set shows an anomaly"));
  CHECK(sentence == Contains("data.min_anomalous = 0"));
  options.min_anomalous = 0;
  CHECK(data::draw_split(listing, options).labeled.size() == 2);
  options.min_anomalous = 1;
  options.labeled = 0;
  CHECK(data::draw_split(listing, options).labeled.empty());
}

TEST_CASE("only images with masks are drawn to be labeled") {
  const test::Scratch scratch;
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"})
    test::write_picture(scratch / "images" / name, test::color_picture(8, 8));
  auto options = test::options_for("folder", scratch.path(), 1);
  options.min_anomalous = 0;
  CHECK(test::error_text([&] { data::draw_split(data::list_samples(options), options); }) ==
        test::text("data.labeled is 1, but only 0 of the 4 images in " + options.root +
                   " have a mask; lower it, or add masks"));
  options.labeled = 0;
  CHECK(data::draw_split(data::list_samples(options), options).unlabeled == Indices{0, 1, 2, 3});

  for (const char* name : {"b.png", "d.png"})
    test::write_picture(scratch / "masks" / name, test::stripe_mask(8, 8, 2, 3));
  options.partial_masks = true;
  options.labeled = 2;
  options.min_anomalous = 2;
  for (options.split_seed = 0; options.split_seed < 6; ++options.split_seed)
    CHECK(data::draw_split(data::list_samples(options), options).labeled == Indices{1, 3});
  options.labeled = 3;
  CHECK(test::error_text([&] { data::draw_split(data::list_samples(options), options); }) ==
        test::text("data.labeled is 3, but only 2 of the 4 images in " + options.root +
                   " have a mask; lower it, or add masks"));
}

TEST_CASE("where the layout is silent, masks are opened in the random order and only until an anomaly is found") {
  const test::Scratch scratch;
  test::write_folder_layout(scratch.path(), 8, "abcdefgh");
  auto options = test::options_for("folder", scratch.path(), 3);
  options.split_seed = 4;
  const auto listing = data::list_samples(options);
  const auto order = data::permutation(8, 4);
  // All but the first in the random order are destroyed: nobody looks.
  for (std::size_t i = 1; i < order.size(); ++i)
    test::write_bytes(listing.samples[static_cast<std::size_t>(order[i])].mask, "destroyed");
  const auto split = data::draw_split(listing, options);
  CHECK(split.labeled.size() == 3);
  // The same test notices a mask that is opened: with the first one clear, the second is wanted.
  test::write_picture(listing.samples[static_cast<std::size_t>(order[0])].mask, test::stripe_mask(24, 32, 0, 0));
  CHECK(test::error_text([&] { data::draw_split(listing, options); }) == Contains("is not an image"));
}

TEST_CASE("the manifest names every image with its role") {
  auto listing = typed_listing(5, {2});
  listing.auxiliary.resize(3);
  auto options = test::options_for("mvtec", "/none", 2);
  options.split_seed = 9;
  const auto split = data::draw_split(listing, options);
  const auto text = data::manifest(listing, split, options);
  CHECK(text.back() == '\n');
  CHECK(nlohmann::ordered_json::parse(text).dump(1) + "\n" == text);
  const auto json = nlohmann::json::parse(text);
  CHECK(json.at("format") == "mvtec");
  CHECK(json.at("split_seed") == 9);
  CHECK(json.at("labeled") == 2);
  CHECK(json.at("unlabeled") == 3);
  CHECK(json.at("auxiliary") == 3);
  REQUIRE(json.at("images").size() == 5);
  Indices labeled;
  for (int i = 0; i < 5; ++i) {
    const auto& image = json.at("images").at(static_cast<std::size_t>(i));
    CHECK(image.at("id") == "s" + std::to_string(i));
    CHECK(image.at("file") == "s" + std::to_string(i) + ".png");
    CHECK(image.at("type") == (i == 2 ? "crack" : "good"));
    if (image.at("role") == "labeled") labeled.push_back(i);
  }
  CHECK(labeled == split.labeled);
  const auto empty = data::manifest({}, {}, options);
  CHECK(nlohmann::ordered_json::parse(empty).dump(1) + "\n" == empty);
}

TEST_CASE("masks that are probably not what they should be are told, those of labeled images alone") {
  const test::Scratch scratch;
  const auto mask = [&](const std::string& name, int side, int rows, int from, int to) {
    test::write_picture(scratch / "images" / (name + ".png"), test::color_picture(side, side));
    cv::Mat drawn = cv::Mat::zeros(side, side, CV_8UC1);
    drawn.rowRange(0, rows).colRange(from, to).setTo(255);
    test::write_picture(scratch / "masks" / (name + ".png"), drawn);
    return (scratch / "masks" / (name + ".png")).string();
  };
  auto options = test::options_for("folder", scratch.path(), 3);  // S = 16
  mask("a", 64, 32, 0, 32);
  const auto inverted = mask("b", 16, 15, 0, 16);
  const auto tiny = mask("c", 64, 1, 1, 3);  // between the columns that nearest neighbors take
  test::write_picture(scratch / "masks" / "d_misnamed.png", test::stripe_mask(8, 8, 0, 2));
  const auto listing = data::list_samples(options);
  REQUIRE(listing.remarks.size() == 1);
  CHECK(listing.remarks.front() == "1 of the 4 files in " + (scratch / "masks").string() +
                                       " is the mask of no image, so nothing is done with it: d_misnamed.png");
  data::Split split;
  split.labeled = {0, 1, 2};
  const auto remarks = data::remarks_on_masks(listing, split, options);
  REQUIRE(remarks.size() == 2);
  CHECK(remarks[0] == "the mask " + inverted +
                          " calls 94 % of its image anomalous, as every pixel that is not black is; if it is the other "
                          "way round, invert it");
  CHECK(remarks[1] == "of the 2 anomalous pixels of the mask " + tiny +
                          " (64 x 64) 0 are left at 16 x 16, where their area would be 0.1: they are too small; raise "
                          "data.image_size, or set data.resize = \"tiles\"");
  split.labeled = {0};
  split.unlabeled = {1, 2};
  CHECK(data::remarks_on_masks(listing, split, options).empty());
}

TEST_CASE("labeled images that are nearly black, all of them, are remarked on") {
  const test::Scratch scratch;
  const auto picture = [&](const std::string& name, int depth, double highest) {
    cv::Mat pixels(8, 8, CV_MAKETYPE(depth, 3), cv::Scalar::all(0));
    cv::randu(pixels, cv::Scalar::all(0), cv::Scalar::all(highest / 2));
    pixels(cv::Rect(3, 3, 1, 1)).setTo(cv::Scalar(0, highest, 0));
    test::write_picture(scratch / "images" / (name + ".png"), pixels);
  };
  picture("a", CV_16U, 3000);
  picture("b", CV_16U, 4095);
  picture("c", CV_16U, 4200);
  picture("d", CV_8U, 15);
  picture("e", CV_8U, 16);
  test::write_picture(scratch / "images" / "f.png", cv::Mat(8, 8, CV_8UC4, cv::Scalar(9, 9, 9, 255)));
  const auto listing = data::list_samples(test::options_for("folder", scratch.path()));
  const auto remarks = [&](std::vector<std::int64_t> labeled) {
    data::Split split;
    split.labeled = std::move(labeled);
    return data::remarks_on_images(listing, split);
  };
  REQUIRE(remarks({0, 1}).size() == 1);
  CHECK(remarks({1, 0}).front() ==
        "the highest number in 2 labeled images is 4095 (" + (scratch / "images" / "b.png").string() +
            "), where white is 65535, so they are nearly black, as numbers of 12 bits in a file of 16 are; multiply "
            "them so that white is 65535");
  CHECK(remarks({0, 1, 2}).empty());
  CHECK(remarks({3}).size() == 1);
  CHECK(remarks({4}).empty());
  CHECK(remarks({5}).size() == 1);  // whatever alpha says
  CHECK(remarks({0, 4}).empty());
  CHECK(remarks({}).empty());
}

TEST_CASE("files whose names begin with a dot are no images of a data set") {
  const test::Scratch scratch;
  for (const char* name : {"a.png", "._a.png", ".b.png"})
    test::write_picture(scratch / "images" / name, test::color_picture(8, 8));
  CHECK(test::ids_of(data::list_samples(test::options_for("folder", scratch.path())).samples) ==
        std::vector<std::string>{"a"});
}
