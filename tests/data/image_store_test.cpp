// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/image_store.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>
#include <sys/stat.h>

#include "nbs/base/lock.h"
#include "nbs/data/synthetic.h"

#include "error_text.h"
#include "fixtures.h"
#include "in_parallel.h"
#include "scratch.h"
#include "variable.h"

using namespace nbs;
using doctest::Contains;

namespace {

namespace fs = std::filesystem;

std::vector<const data::Sample*> pointers(const data::Listing& listing) {
  std::vector<const data::Sample*> samples;
  for (const auto& sample : listing.samples)
    samples.push_back(&sample);
  return samples;
}

std::vector<std::uint8_t> all_bytes(const data::ImageStore& store) {
  const auto one = static_cast<std::size_t>(3 * store.size() * store.size());
  std::vector<std::uint8_t> bytes(one * static_cast<std::size_t>(store.count()));
  for (std::int64_t i = 0; i < store.count(); ++i)
    store.copy(i, bytes.data() + static_cast<std::size_t>(i) * one);
  return bytes;
}

// Six pictures of 32 x 48 pixels, of which each third one is a photograph of 16 bits, and a cache folder of their own.
struct Place {
  test::Scratch scratch;
  test::Variable cache{"XDG_CACHE_HOME", (scratch / "cache").string()};
  data::DataOptions options = test::options_for("folder", scratch.path());
  data::Listing listing;
  fs::path folder = scratch / "cache" / "nbs" / "images";

  Place() {
    for (int i = 0; i < 6; ++i)
      test::write_picture(scratch / "images" / (std::to_string(i) + ".png"), picture(i));
    options.memory = 0;
    listing = data::list_samples(options);
  }
  static cv::Mat picture(int i) {
    cv::Mat made = test::color_picture(32, 48) + cv::Scalar::all(i);
    if (i % 3 == 2) made.convertTo(made, CV_16U, 257 - 30);
    return made;
  }
  std::unique_ptr<const data::ImageStore> read(const data::Reading& reading = {}) const {
    return data::read_images(pointers(listing), {}, options, reading);
  }
  fs::path file() const {
    const auto names = test::entries_of(folder);
    REQUIRE(names.size() == 1);
    return folder / names.front();
  }
};

// Which file it is, by number and time: another one if it was written anew.
std::pair<ino_t, long> identity(const fs::path& file) {
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  return {status.st_ino, status.st_mtim.tv_nsec};
}

}  // namespace

TEST_CASE("a store holds the mean of the pixels under each pixel in the nearest of 256 levels, wherever it lies") {
  Place place;
  for (const std::int64_t memory : {0, 1}) {
    CAPTURE(memory);
    place.options.memory = memory;
    const auto store = place.read({2, {}});
    CHECK(store->file().empty() == (memory == 1));
    REQUIRE(store->count() == 6);
    REQUIRE(store->size() == 16);
    std::vector<std::uint8_t> bytes(3 * 16 * 16);
    std::vector<float> values(bytes.size());
    for (int i = 0; i < 6; ++i) {
      CAPTURE(i);
      store->copy(i, bytes.data());
      store->copy_window(i, 0, 0, 16, values.data());
      const cv::Mat picture = Place::picture(i);
      const double full = picture.depth() == CV_8U ? 255 : 65535;
      double largest = 0;
      bool exact = true;
      for (int at = 0; at < 3 * 16 * 16; ++at) {
        const int c = at / 256;
        const int y = at / 16 % 16;
        const int x = at % 16;
        double sum = 0;
        for (int v = 0; v < 2; ++v) {
          for (int u = 0; u < 3; ++u) {
            // Files are red, green and blue in OpenCV's order backwards.
            sum += picture.depth() == CV_8U ? picture.at<cv::Vec3b>(2 * y + v, 3 * x + u)[2 - c]
                                            : picture.at<cv::Vec3w>(2 * y + v, 3 * x + u)[2 - c];
          }
        }
        largest = std::max(largest, std::abs(bytes[at] - sum / 6 * 255 / full));
        exact = exact && values[at] == static_cast<float>(bytes[at]) / 255.0F;
      }
      // Half a level, and what floating numbers may add where a mean lies in the middle.
      CHECK(largest < 0.5 + 1e-4);
      CHECK(exact);
    }
    std::vector<float> window(3 * 5 * 5);
    store->copy_window(4, 7, 9, 5, window.data());
    store->copy_window(4, 0, 0, 16, values.data());
    for (int at = 0; at < 75; ++at)
      CHECK(window[at] == values[(at / 25) * 256 + (7 + at / 5 % 5) * 16 + 9 + at % 5]);
  }
}

TEST_CASE("generated images are rounded to levels as well") {
  const test::Scratch scratch;
  const test::Variable cache("XDG_CACHE_HOME", scratch.path().string());
  auto options = test::options_for("synthetic", "");
  options.count = 3;
  options.auxiliary = 0;
  options.split_seed = 4;
  options.memory = 0;
  const auto listing = data::list_samples(options);
  const auto bytes = all_bytes(*data::read_images(pointers(listing), {}, options));
  for (int i = 0; i < 3; ++i) {
    const auto made = data::synthesize(options.surface, 16, 4, i).image;
    for (int at = 0; at < 768; ++at) {
      const float value = made.at<cv::Vec3f>(at / 16 % 16, at % 16)[at / 256];
      CHECK(std::abs(bytes[static_cast<std::size_t>(i * 768 + at)] - 255.0 * value) < 0.5 + 1e-4);
    }
  }
}

TEST_CASE("a file in the cache folder is used again as it is") {
  Place place;
  const auto bytes = all_bytes(*place.read());
  const auto before = identity(place.file());
  // Whoever reads the pictures again would fail.
  for (const auto& sample : place.listing.samples) {
    const auto time = fs::last_write_time(sample.image);
    test::write_bytes(sample.image, std::string(fs::file_size(sample.image), 'x'));
    fs::last_write_time(sample.image, time);
  }
  const auto store = place.read();
  CHECK(all_bytes(*store) == bytes);
  CHECK(identity(place.file()) == before);
  // It may be removed while it is used.
  fs::remove(place.file());
  CHECK(all_bytes(*store) == bytes);
  CHECK_THROWS_AS(place.read(), Error);
}

TEST_CASE("a file that is damaged or cut short anywhere is written anew") {
  const Place place;
  const auto bytes = all_bytes(*place.read());
  const auto file = place.file();
  const auto whole = test::read_bytes(file);
  REQUIRE(whole.size() == 4096 + 6 * 768 + 6 * 4);
  const auto damaged = [&](const std::string& changed) {
    test::write_bytes(file, changed);
    CHECK(all_bytes(*place.read()) == bytes);
    CHECK(place.file() == file);
    CHECK(test::read_bytes(file) == whole);
  };
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{20}, std::size_t{150}, std::size_t{4095}, std::size_t{4096},
        std::size_t{4096 + 3 * 768 + 100}, whole.size() - 25, whole.size() - 24, whole.size() - 1}) {
    CAPTURE(at);
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    damaged(changed);
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{100}, std::size_t{4096}, whole.size() - 1}) {
    CAPTURE(length);
    damaged(whole.substr(0, length));
  }
  damaged(whole + "x");
  damaged(std::string(whole.size(), '\0'));
  fs::remove(file);
  fs::create_directory(file);
  CHECK(test::error_text([&] { place.read(); }) == Contains("raise data.memory"));
}

TEST_CASE("the key changes with all that pixels depend on, and with nothing else") {
  Place place;
  const auto samples = pointers(place.listing);
  const auto key = data::key_of_images(samples, place.options);
  CHECK(data::key_of_images(samples, place.options) == key);
  auto options = place.options;
  options.labeled = 3;
  options.split_seed = 7;
  options.memory = 12;
  CHECK(data::key_of_images(samples, options) == key);
  options.image_size = 17;
  CHECK(data::key_of_images(samples, options) != key);
  CHECK(data::key_of_images({samples.begin(), samples.end() - 1}, place.options) != key);
  CHECK(data::key_of_images({samples.rbegin(), samples.rend()}, place.options) != key);
  const auto& image = place.listing.samples[3].image;
  const auto time = fs::last_write_time(image);
  fs::last_write_time(image, time + std::chrono::milliseconds(10));
  CHECK(data::key_of_images(samples, place.options) != key);
  fs::last_write_time(image, time);
  CHECK(data::key_of_images(samples, place.options) == key);
  test::write_bytes(image, test::read_bytes(image) + "x");
  fs::last_write_time(image, time);
  CHECK(data::key_of_images(samples, place.options) != key);

  auto made = test::options_for("synthetic", "");
  made.count = 2;
  const auto listing = data::list_samples(made);
  const auto generated = data::key_of_images(pointers(listing), made);
  auto other = made;
  other.split_seed = 1;
  CHECK(data::key_of_images(pointers(listing), other) != generated);
  other = made;
  other.surface = data::Surface::wood;
  CHECK(data::key_of_images(pointers(listing), other) != generated);
}

TEST_CASE("a changed picture makes another file; runs with other labeled images share one") {
  Place place;
  for (int i = 0; i < 6; ++i)
    test::write_picture(place.scratch / "masks" / (std::to_string(i) + ".png"), test::stripe_mask(32, 48, 8, 16));
  place.options.labeled = 2;
  place.listing = data::list_samples(place.options);
  std::vector<std::string> first;
  for (const std::int64_t seed : {0, 1, 2}) {
    place.options.split_seed = seed;
    const auto split = data::draw_split(place.listing, place.options);
    const auto set = data::load_training_set(place.listing, split, place.options);
    for (std::size_t i = 0; i < 6; ++i) {
      const auto index = i < 2 ? split.labeled[i] : split.unlabeled[i - 2];
      CHECK(set.places[i] == index);
      CHECK(set.ids[i] == std::to_string(index));
    }
    CHECK(test::entries_of(place.folder).size() == 1);
  }
  test::write_picture(place.scratch / "images" / "2.png", Place::picture(0));
  const auto changed = place.read();
  CHECK(test::entries_of(place.folder).size() == 2);
  std::vector<std::uint8_t> second(768);
  std::vector<std::uint8_t> zeroth(768);
  changed->copy(2, second.data());
  changed->copy(0, zeroth.data());
  CHECK(second == zeroth);
}

TEST_CASE("of those who need a file at the same time one writes it and the others wait") {
  Place place;
  place.options.format = data::Format::synthetic;
  place.options.count = 60;
  place.options.auxiliary = 0;
  place.options.image_size = 64;
  place.listing = data::list_samples(place.options);
  auto held = place.options;
  held.memory = 10;
  const auto expected = all_bytes(*data::read_images(pointers(place.listing), {}, held));
  std::atomic<int> decoded{0};
  std::atomic<int> right{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      const auto store = place.read({1, [&](const char* what, std::int64_t done, std::int64_t total) {
                                       if (std::string(what) == "reading images" && done == total) ++decoded;
                                       return true;
                                     }});
      if (all_bytes(*store) == expected) ++right;
    });
  }
  for (auto& reader : readers)
    reader.join();
  CHECK(right == 4);
  CHECK(decoded == 1);
  CHECK(place.file().extension() == ".images");
}

TEST_CASE("who waits for another goes on when that one has ended without a file, and may be stopped") {
  Place place;
  place.read();
  const auto file = place.file();
  fs::remove(file);
  place.scratch.write("cache/nbs/images/.nbs-0123456789abcdef.tmp", "of a program that was killed");
  auto lock = FileLock::try_take(fs::path(file).replace_extension(".lock"));
  REQUIRE(lock);
  int waits = 0;
  CHECK_THROWS_AS(place.read({1,
                              [&](const char* what, std::int64_t, std::int64_t) {
                                CHECK(doctest::String(what) == Contains("waiting for another run"));
                                return ++waits < 3;
                              }}),
                  data::ReadingStopped);
  CHECK(waits == 3);
  waits = 0;
  place.read({1, [&](const char* what, std::int64_t, std::int64_t) {
                if (std::string(what).rfind("waiting", 0) == 0 && ++waits == 2) lock.reset();
                return true;
              }});
  CHECK(waits == 2);
  CHECK(place.file() == file);
}

TEST_CASE("a picture that cannot be read is named, and nothing is left in the cache folder") {
  const Place place;
  for (const int i : {2, 4})
    test::write_bytes(place.listing.samples[static_cast<std::size_t>(i)].image, "destroyed");
  const auto text = test::error_text([&] { place.read({4, {}}); });
  CHECK(text == Contains("2.png"));
  CHECK(text != Contains("data.memory"));
  CHECK(test::entries_of(place.folder).empty());
}

TEST_CASE("without a place for the file it says how much is needed and what to do") {
  const Place place;
  {
    const test::Variable file("XDG_CACHE_HOME", place.listing.samples.front().image.string());
    CHECK(test::error_text([&] { place.read(); }) ==
          Contains("(a file of 0.0 GiB for the images, which are more than data.memory (0 MiB)); make room, let "
                   "XDG_CACHE_HOME name a folder that has it, or raise data.memory"));
  }
  const test::Variable no_cache("XDG_CACHE_HOME", "");
  const test::Variable no_home("HOME", "");
  CHECK(test::error_text([&] { place.read(); }) == Contains("neither XDG_CACHE_HOME nor HOME is set"));
}

TEST_CASE("work in parallel is all done, or ends with the smallest number that failed") {
  std::vector<std::atomic<int>> done(100);
  const auto count_up = [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; };
  data::in_parallel(100, "work", {4, {}}, count_up);
  for (const auto& times : done)
    CHECK(times == 1);
  for (int repeat = 0; repeat < 20; ++repeat) {
    CHECK(test::error_text([&] {
            data::in_parallel(100, "work", {4, {}}, [&](std::int64_t i) {
              if (i < 37) return;
              // One that is later fails before it, and another one after it.
              std::this_thread::sleep_for(std::chrono::milliseconds(i == 37 ? 3 : i == 38 ? 9 : 0));
              throw Error("failed at " + std::to_string(i));
            });
          }) == "failed at 37");
  }
  std::atomic<int> begun{0};
  CHECK_THROWS_AS(data::in_parallel(1000, "work", {2, [](const char*, std::int64_t, std::int64_t) { return false; }},
                                    [&](std::int64_t) {
                                      ++begun;
                                      std::this_thread::sleep_for(std::chrono::milliseconds(10));
                                    }),
                  data::ReadingStopped);
  CHECK(begun < 500);
}
