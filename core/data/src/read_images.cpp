// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "nbs/base/cache_folder.h"
#include "nbs/base/hash.h"
#include "nbs/base/lock.h"
#include "nbs/data/image.h"
#include "nbs/data/image_store.h"
#include "nbs/data/view_images.h"

#include "checksum.h"
#include "decode.h"
#include "in_parallel.h"

namespace nbs::data {

namespace {

// The file: a head of text filled up with zeros, the pixels of all images, and their checksums. The head has a hash of
// the checksums, so that every byte is covered.
constexpr std::uint64_t kHead = 4096;
constexpr const char* kFormat = "nbs images 2";
// Of pictures with more pixels one is decoded at a time: as floating numbers they take 12 bytes a pixel.
constexpr std::uint64_t kLargePixels = 8'000'000;

using Samples = std::vector<const Sample*>;

// What is stored: the views of all images.
struct Shape {
  std::int64_t count = 0;
  std::int64_t size = 0;

  std::size_t image() const { return static_cast<std::size_t>(3 * size * size); }
  std::uint64_t pixels() const { return static_cast<std::uint64_t>(count) * image(); }
  std::uint64_t file() const { return kHead + pixels() + static_cast<std::uint64_t>(count) * sizeof(std::uint32_t); }
};

std::string_view text_of(const std::vector<std::uint32_t>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::uint32_t)};
}

std::string head_of(const std::string& key, const Shape& shape, const std::vector<std::uint32_t>& checksums) {
  auto head = fmt::format("{}\nkey {}\n{} images, red, green and blue, {} x {} pixels\nchecksums {}\n", kFormat, key,
                          shape.count, shape.size, shape.size, sha256(std::string(text_of(checksums))));
  head.resize(kHead, '\0');
  return head;
}

// The samples that are read, and where their views lie among all.
class Wanted {
 public:
  Wanted(const Samples& samples, const std::vector<ViewPlan>& plans, const DataOptions& options)
      : samples_(samples),
        plans_(plans),
        options_(options),
        square_({options.image_size, options.image_size}, options) {
    if (plans.empty()) return;
    first_.push_back(0);
    for (const auto& plan : plans)
      first_.push_back(first_.back() + plan.count());
  }

  std::int64_t images() const { return static_cast<std::int64_t>(samples_.size()); }
  Shape shape() const { return {plans_.empty() ? images() : first_.back(), options_.image_size}; }
  const Samples& samples() const { return samples_; }
  const DataOptions& options() const { return options_; }

  // Calls `use` with the number among all and the pixels [S, S], CV_8UC3, of each view of an image.
  template <typename Use>
  void decode(std::int64_t image, const Use& use) {
    const auto& sample = *samples_[static_cast<std::size_t>(image)];
    const auto first = plans_.empty() ? image : first_[static_cast<std::size_t>(image)];
    if (sample.mask_source == MaskSource::generated) {
      use(first, to_levels(load_image(sample, options_)));
      return;
    }
    const auto& plan = plans_.empty() ? square_ : plans_[static_cast<std::size_t>(image)];
    std::unique_lock<std::mutex> lock(large_, std::defer_lock);
    const auto reader = reader_of(sample, plan, lock);
    for (std::int64_t view = 0; view < plan.count(); ++view)
      use(first + view, reader.levels(view));
  }

 private:
  ViewReader reader_of(const Sample& sample, const ViewPlan& plan, std::unique_lock<std::mutex>& lock) const {
    const auto bytes = read_image_bytes(sample.image);
    const auto stated = stated_size(bytes);
    if (!stated || stated->width > kLargePixels / std::max<std::uint64_t>(1, stated->height)) lock.lock();
    return {in_image_range(decoded(bytes, sample.image), sample.image), plan, options_};
  }

  const Samples& samples_;
  const std::vector<ViewPlan>& plans_;
  const DataOptions& options_;
  ViewPlan square_;
  std::vector<std::int64_t> first_;
  std::mutex large_;
};

// Planes [3, S, S].
void to_planes(const cv::Mat& levels, std::uint8_t* to) {
  std::vector<cv::Mat> planes;
  planes.reserve(3);
  for (int c = 0; c < 3; ++c)
    planes.emplace_back(levels.rows, levels.cols, CV_8UC1, to + static_cast<std::size_t>(c) * levels.total());
  cv::split(levels, planes);
}

std::unique_ptr<const ImageStore> in_memory(Wanted& wanted, const Reading& reading) {
  const auto shape = wanted.shape();
  std::vector<std::uint8_t> pixels(shape.pixels());
  in_parallel(wanted.images(), "reading images", reading, [&](std::int64_t i) {
    wanted.decode(i, [&](std::int64_t view, const cv::Mat& levels) {
      to_planes(levels, pixels.data() + static_cast<std::size_t>(view) * shape.image());
    });
  });
  return std::make_unique<ImageStore>(shape.size, std::move(pixels));
}

// The file as it was written, or nothing: if there is none, or any byte of it is another.
std::unique_ptr<const ImageStore> opened(const std::filesystem::path& path, const std::string& key, const Shape& shape,
                                         const Reading& reading) {
  try {
    auto file = std::make_unique<FileReader>(path);
    if (file->length() != shape.file()) return nullptr;
    std::vector<std::uint32_t> checksums(static_cast<std::size_t>(shape.count));
    file->read_at(kHead + shape.pixels(), checksums.data(), text_of(checksums).size());
    std::string head(kHead, '\0');
    file->read_at(0, head.data(), head.size());
    if (head != head_of(key, shape, checksums)) return nullptr;
    in_parallel(shape.count, "checking images", reading, [&](std::int64_t i) {
      std::vector<std::uint8_t> bytes(shape.image());
      file->read_at(kHead + static_cast<std::uint64_t>(i) * bytes.size(), bytes.data(), bytes.size());
      if (crc32_of(bytes.data(), bytes.size()) != checksums[static_cast<std::size_t>(i)])
        throw Error(fmt::format("image {} of {} is damaged", i, path.string()));
    });
    return std::make_unique<ImageStore>(shape.size, std::move(file), kHead, std::move(checksums));
  } catch (const ReadingStopped&) {
    throw;
  } catch (const Error&) {
    return nullptr;  // missing, damaged or unreadable: it is written anew
  }
}

// What goes wrong with the file itself, with what to do about it.
template <typename Action>
auto with_advice(const std::string& wanted, const Action& action) {
  try {
    return action();
  } catch (const ReadingStopped&) {
    throw;
  } catch (const Error& error) {
    throw Error(
        fmt::format("{} (a file of {}); make room, let XDG_CACHE_HOME name a folder that has it, or raise "
                    "data.memory",
                    error.what(), wanted));
  }
}

// Returns the checksums.
std::vector<std::uint32_t> write_store(const std::filesystem::path& path, const std::string& key, Wanted& wanted,
                                       const Reading& reading, const std::string& room) {
  const auto shape = wanted.shape();
  const auto file = with_advice(room, [&] { return std::make_unique<NewFile>(path, shape.file()); });
  std::vector<std::uint32_t> checksums(static_cast<std::size_t>(shape.count));
  in_parallel(wanted.images(), "reading images", reading, [&](std::int64_t i) {
    std::vector<std::uint8_t> bytes(shape.image());
    wanted.decode(i, [&](std::int64_t view, const cv::Mat& levels) {
      to_planes(levels, bytes.data());
      checksums[static_cast<std::size_t>(view)] = crc32_of(bytes.data(), bytes.size());
      with_advice(room, [&] {
        file->write_at(kHead + static_cast<std::uint64_t>(view) * bytes.size(),
                       {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      });
    });
  });
  if (key_of_images(wanted.samples(), wanted.options()) != key)
    throw Error("files of the data set were changed while its images were read; run again when they stay as they are");
  with_advice(room, [&] {
    file->write_at(kHead + shape.pixels(), text_of(checksums));
    file->write_at(0, head_of(key, shape, checksums));
    file->finish();
  });
  return checksums;
}

// Held while the file is written; nothing where the file system has no locks: then two may write it, each its own.
std::optional<FileLock> wait_for(const std::filesystem::path& lock, const Reading& reading) {
  for (;;) {
    try {
      if (auto taken = FileLock::try_take(lock)) return taken;
    } catch (const NoLocksError&) {
      return std::nullopt;
    }
    if (reading.progress && !reading.progress("waiting for another run, which reads the same images", 0, 0))
      throw ReadingStopped("interrupted while another run read the images");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::unique_ptr<const ImageStore> in_file(Wanted& wanted, const Reading& reading) {
  const auto shape = wanted.shape();
  const auto base = cache_folder();
  const auto room = fmt::format("{:.1f} GiB for the images, which are more than data.memory ({} MiB)",
                                static_cast<double>(shape.file()) / (1024.0 * 1024 * 1024), wanted.options().memory);
  if (base.empty()) {
    throw Error(
        fmt::format("there is no cache folder for the {}: neither XDG_CACHE_HOME nor HOME is set; set one, or "
                    "raise data.memory",
                    room));
  }
  const auto folder = base / "images";
  const auto key = key_of_images(wanted.samples(), wanted.options());
  const auto path = folder / (key.substr(0, 32) + ".images");
  if (auto store = opened(path, key, shape, reading)) return store;
  std::error_code ignored;  // what cannot be made cannot be written to, which is said
  std::filesystem::create_directories(folder, ignored);
  const auto lock = with_advice(room, [&] { return wait_for(folder / (key.substr(0, 32) + ".lock"), reading); });
  if (auto store = opened(path, key, shape, reading)) return store;  // another run has written it meanwhile
  remove_unfinished_files(folder);
  auto checksums = write_store(path, key, wanted, reading, room);
  auto file = with_advice(room, [&] { return std::make_unique<FileReader>(path); });
  return std::make_unique<ImageStore>(shape.size, std::move(file), kHead, std::move(checksums));
}

}  // namespace

std::string key_of_images(const Samples& samples, const DataOptions& options) {
  Sha256 hash;
  hash.add(fmt::format("{}, OpenCV {}, {} x {}\n", kFormat, CV_VERSION, options.image_size, options.image_size));
  if (options.resize != Resize::square)
    hash.add(fmt::format("{} {}\n", choice_name(options.resize, resizes()), options.tile_overlap));
  for (const auto* const sample : samples) {
    if (sample->mask_source == MaskSource::generated) {
      hash.add(fmt::format("{} {} {}\n", choice_name(options.surface, surfaces()), options.split_seed, sample->index));
      continue;
    }
    std::error_code failed;  // what is not there is said when it is read
    const auto size = std::filesystem::file_size(sample->image, failed);
    const auto time = std::filesystem::last_write_time(sample->image, failed).time_since_epoch().count();
    hash.add(fmt::format("{} {} {}\n", std::filesystem::absolute(sample->image, failed).string(), size, time));
  }
  return hash.hexadecimal();
}

std::unique_ptr<const ImageStore> read_images(const Samples& samples, const std::vector<ViewPlan>& plans,
                                              const DataOptions& options, const Reading& reading) {
  Wanted wanted(samples, plans, options);
  const auto allowed = static_cast<std::uint64_t>(options.memory) * 1024 * 1024;
  return wanted.shape().pixels() <= allowed ? in_memory(wanted, reading) : in_file(wanted, reading);
}

}  // namespace nbs::data
