// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nbs.h>

#include "nbs/error.h"

// libnbs for C++: a thin layer over the C interface (nbs.h), compiled into the caller, so that no type of the C++
// library crosses the boundary. docs/library.md is the manual.

namespace nbs {

/// How a pixel lies in memory: 8 bit for each channel. Alpha is not looked at.
enum class PixelFormat { gray = NBS_GRAY8, rgb = NBS_RGB8, bgr = NBS_BGR8, rgba = NBS_RGBA8, bgra = NBS_BGRA8 };

/// An image of the caller's, which is only read.
struct ImageView {
  const std::uint8_t* pixels = nullptr;  ///< the first pixel of the first row
  std::int64_t width = 0;                ///< in pixels, from 1; at most 2^28 pixels in all
  std::int64_t height = 0;               ///< in pixels, from 1
  PixelFormat format = PixelFormat::rgb;
  std::int64_t stride = 0;  ///< bytes from one row to the next; 0: rows without a gap
};

/// The result for an image, of its width and height, row by row without gaps.
struct ImageMask {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> mask;  ///< 255 where anomalous, 0 elsewhere
  std::vector<float> probability;  ///< of each pixel to be anomalous, 0 to 1
};

/// How a run is loaded.
struct MaskerOptions {
  std::vector<std::string> plugin_folders;              ///< looked into first for the run's plugins
  bool allow_changed_plugins = false;                   ///< where the run's own is not found, another of its name
  std::int64_t threads = 0;                             ///< that mask one image; 0: as the run was trained with
  std::function<void(const std::string& warning)> log;  ///< see nbs_load_options; empty: warnings are dropped
};

/// A finished run, loaded to mask images: nbs_masker with an owner. What can be said of threads, plugins, and of what
/// is changed in the process stands at nbs_load() and nbs_mask(). Every error is an nbs::Error, a sentence.
class Masker {
 public:
  /// Loads the folder of a finished run. Throws nbs::Error.
  explicit Masker(const std::string& run_folder, MaskerOptions options = {})
      : log_(std::make_unique<Log>(std::move(options.log))) {
    std::vector<const char*> folders;
    folders.reserve(options.plugin_folders.size());
    for (const auto& folder : options.plugin_folders)
      folders.push_back(folder.c_str());
    nbs_load_options plain = {};
    plain.plugin_folders = folders.data();
    plain.plugin_folder_count = folders.size();
    plain.allow_changed_plugins = options.allow_changed_plugins ? 1 : 0;
    plain.threads = options.threads;
    if (*log_) {
      plain.log = &Masker::pass_on;
      plain.log_user = log_.get();
    }
    nbs_masker* loaded = nullptr;
    require(nbs_load(run_folder.c_str(), &plain, &loaded));
    masker_.reset(loaded);
    require(nbs_get_facts(loaded, &facts_));
  }

  /// Masks an image. Several threads may call it at once. Throws nbs::Error.
  ImageMask mask(const ImageView& image) const {
    // What nbs_mask() would refuse is not reserved.
    const bool sane = image.width > 0 && image.height > 0 && image.width <= kMostPixels / image.height;
    ImageMask result;
    result.width = image.width;
    result.height = image.height;
    const auto pixels = sane ? static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) : 1;
    result.mask.resize(pixels);
    result.probability.resize(pixels);
    nbs_output output = {};
    output.mask = result.mask.data();
    output.probability = result.probability.data();
    mask(image, output);
    return result;
  }

  /// The same into memory of the caller's.
  void mask(const ImageView& image, const nbs_output& output) const {
    const nbs_image plain = {image.pixels, image.width, image.height, image.stride, static_cast<int>(image.format)};
    require(nbs_mask(masker_.get(), &plain, &output));
  }

  /// From this probability a pixel is anomalous, as the run has chosen it.
  double threshold() const { return facts_.threshold; }
  /// S: the model sees every image as S x S pixels.
  std::int64_t image_size() const { return facts_.image_size; }
  /// Threads that mask one image.
  std::int64_t threads() const { return facts_.threads; }

 private:
  using Log = std::function<void(const std::string&)>;
  struct Free {
    void operator()(nbs_masker* masker) const { nbs_free(masker); }
  };
  static constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;

  static void require(nbs_status status) {
    if (status != NBS_OK) throw Error(nbs_error());
  }
  static void pass_on(const char* line, void* log) noexcept {
    try {
      (*static_cast<Log*>(log))(line);
    } catch (...) {
      // A warning that could not be passed on must not cost the mask.
      return;
    }
  }

  std::unique_ptr<Log> log_;  // must outlive the loaded run, which writes to it
  std::unique_ptr<nbs_masker, Free> masker_;
  nbs_facts facts_ = {};
};

}  // namespace nbs
