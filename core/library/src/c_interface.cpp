// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include <fmt/format.h>
#include <nbs.h>
#include <opencv2/imgproc.hpp>

#include "nbs/data/image.h"
#include "nbs/error.h"

#include "error_sentence.h"
#include "loaded_run.h"

// The functions of nbs.h: arguments are checked, and exceptions become a status and a sentence.

struct nbs_masker {
  nbs_masker(const std::string& folder, nbs::library::LoadChoices choices) : run(folder, std::move(choices)) {}
  nbs::library::LoadedRun run;
};

namespace {

constexpr std::int64_t kMostThreads = 1024;
constexpr std::size_t kMostFolders = 4096;

// An argument that cannot be meant.
class WrongCall : public nbs::Error {
  using Error::Error;
};

thread_local std::string last_error;

void keep_error(const char* text) noexcept {
  try {
    last_error = text;
  } catch (...) {
    last_error.clear();  // no memory even for the sentence
  }
}

template <typename Work>
nbs_status guarded(Work&& work) noexcept {
  try {
    work();
    return NBS_OK;
  } catch (const WrongCall& error) {
    keep_error(error.what());
    return NBS_WRONG_CALL;
  } catch (const std::exception& error) {
    try {
      keep_error(nbs::worker::error_sentence(error).c_str());
    } catch (...) {
      keep_error(error.what());
    }
  } catch (...) {
    keep_error("something was thrown that does not say what is wrong; a plugin or library may have thrown it");
  }
  return NBS_FAILED;
}

void require_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) throw WrongCall(fmt::format("{} is a null pointer; give it what nbs.h says", name));
}

void require_here(const nbs_masker& masker) {
  if (masker.run.is_here()) return;
  throw WrongCall(
      "this process is a copy (fork) of the one that loaded the run, and has none of its threads; load the run in this "
      "process, or start it with exec");
}

int bytes_of(int format) {
  switch (format) {
    case NBS_GRAY8:
      return 1;
    case NBS_RGB8:
    case NBS_BGR8:
      return 3;
    case NBS_RGBA8:
    case NBS_BGRA8:
      return 4;
  }
  throw WrongCall(fmt::format("image.format is {}, which is no nbs_format; it is from {} (NBS_GRAY8) to {} (NBS_BGRA8)",
                              format, static_cast<int>(NBS_GRAY8), static_cast<int>(NBS_BGRA8)));
}

// The stride that is meant. Its rows are checked to lie in memory that can be addressed.
std::size_t stride_of(std::int64_t stride, std::int64_t row_bytes, std::int64_t height, const char* name) {
  if (stride == 0) stride = row_bytes;
  if (stride < row_bytes) {
    throw WrongCall(fmt::format("{} is {}, but a row has {} bytes; the stride is the bytes from one row to the next",
                                name, stride, row_bytes));
  }
  if (stride > std::numeric_limits<std::ptrdiff_t>::max() / height) {
    throw WrongCall(fmt::format(
        "{} is {}, with which {} rows would not lie in any memory; the stride is the bytes from one row to the next",
        name, stride, height));
  }
  return static_cast<std::size_t>(stride);
}

void require_size(const nbs_image& image) {
  if (image.width < 1 || image.height < 1) {
    throw WrongCall(
        fmt::format("the image has {} x {} pixels; width and height are at least 1", image.width, image.height));
  }
  const auto most = static_cast<std::int64_t>(nbs::data::kMostPixels);
  if (image.width > most / image.height) {
    throw WrongCall(fmt::format("the image has {} x {} pixels; at most {} can be masked: scale it down, or cut it up",
                                image.width, image.height, most));
  }
}

// The image as a file would have it: gray, BGR or BGRA. Without a copy where it is that.
cv::Mat stored_image(const nbs_image& image) {
  const int bytes = bytes_of(image.format);
  const auto stride = stride_of(image.stride, image.width * bytes, image.height, "image.stride");
  cv::Mat view(static_cast<int>(image.height), static_cast<int>(image.width), CV_8UC(bytes),
               const_cast<std::uint8_t*>(image.pixels), stride);  // only read
  if (image.format != NBS_RGB8 && image.format != NBS_RGBA8) return view;
  cv::Mat turned;
  cv::cvtColor(view, turned, image.format == NBS_RGB8 ? cv::COLOR_RGB2BGR : cv::COLOR_RGBA2BGRA);
  return turned;
}

// Where the rows of a result go, checked before anything is computed.
class Rows {
 public:
  Rows(const nbs_image& image, const nbs_output& output, double threshold)
      : width_(image.width), mask_(output.mask), threshold_(threshold) {
    constexpr std::size_t kFloat = sizeof(float);
    if (output.mask == nullptr && output.probability == nullptr)
      throw WrongCall("output.mask and output.probability are both null pointers, so there is nothing to do");
    if (output.mask != nullptr)
      mask_stride_ = stride_of(output.mask_stride, width_, image.height, "output.mask_stride");
    if (output.probability == nullptr) return;
    probability_ = reinterpret_cast<unsigned char*>(output.probability);
    probability_stride_ = stride_of(output.probability_stride, width_ * std::int64_t{sizeof(float)}, image.height,
                                    "output.probability_stride");
    if (probability_stride_ % kFloat != 0 || reinterpret_cast<std::uintptr_t>(probability_) % alignof(float) != 0) {
      throw WrongCall(
          fmt::format("output.probability is at {} with a stride of {}, but a float lies at a multiple of {} bytes",
                      static_cast<const void*>(probability_), probability_stride_, kFloat));
    }
  }

  void write(int y, const float* values) const {
    const auto row = static_cast<std::size_t>(y);
    if (probability_ != nullptr)
      std::memcpy(probability_ + row * probability_stride_, values, static_cast<std::size_t>(width_) * sizeof(float));
    if (mask_ == nullptr) return;
    auto* const to = mask_ + row * mask_stride_;
    for (std::int64_t x = 0; x < width_; ++x)
      to[x] = nbs::worker::mask_pixel(values[x], threshold_);
  }

 private:
  std::int64_t width_;
  std::uint8_t* mask_;
  std::size_t mask_stride_ = 0;
  unsigned char* probability_ = nullptr;
  std::size_t probability_stride_ = 0;
  double threshold_;
};

double threshold_of(const nbs_masker& masker, const double* wanted) {
  if (wanted == nullptr) return masker.run.threshold();
  if (*wanted >= 0 && *wanted <= 1) return *wanted;
  throw WrongCall(fmt::format("output.threshold is {}, but a probability from 0 to 1 is wanted", *wanted));
}

nbs::library::LoadChoices choices_of(const nbs_load_options& options) {
  nbs::library::LoadChoices choices;
  const auto count = options.plugin_folder_count;
  if (count > kMostFolders)
    throw WrongCall(fmt::format("options.plugin_folder_count is {}, but at most {} are read", count, kMostFolders));
  if (count > 0) require_pointer(options.plugin_folders, "options.plugin_folders");
  for (std::size_t i = 0; i < count; ++i) {
    require_pointer(options.plugin_folders[i], fmt::format("options.plugin_folders[{}]", i).c_str());
    choices.plugin_folders.emplace_back(options.plugin_folders[i]);
  }
  if (options.threads < 0 || options.threads > kMostThreads) {
    throw WrongCall(
        fmt::format("options.threads is {}; it is from 1 to {}, or 0 for as many as the run was trained "
                    "with",
                    options.threads, kMostThreads));
  }
  choices.threads = options.threads;
  choices.allow_changed_plugins = options.allow_changed_plugins != 0;
  if (options.log != nullptr) {
    choices.log = [log = options.log, user = options.log_user](const std::string& line) { log(line.c_str(), user); };
  }
  return choices;
}

}  // namespace

nbs_status nbs_load(const char* run_folder, const nbs_load_options* options, nbs_masker** masker) {
  return guarded([&] {
    require_pointer(masker, "masker");
    *masker = nullptr;
    require_pointer(run_folder, "run_folder");
    *masker = new nbs_masker(run_folder, choices_of(options != nullptr ? *options : nbs_load_options{}));
  });
}

nbs_status nbs_mask(nbs_masker* masker, const nbs_image* image, const nbs_output* output) {
  return guarded([&] {
    require_pointer(masker, "masker");
    require_pointer(image, "image");
    require_pointer(output, "output");
    require_here(*masker);
    require_pointer(image->pixels, "image.pixels");
    require_size(*image);
    const Rows rows(*image, *output, threshold_of(*masker, output->threshold));
    masker->run.mask(stored_image(*image), [&](int y, const float* values) { rows.write(y, values); });
  });
}

nbs_status nbs_get_facts(const nbs_masker* masker, nbs_facts* facts) {
  return guarded([&] {
    require_pointer(masker, "masker");
    require_pointer(facts, "facts");
    *facts = {masker->run.threshold(), masker->run.image_size(), masker->run.threads()};
  });
}

void nbs_free(nbs_masker* masker) {
  // In a copy of the process its thread is not there to end, so the memory is left.
  if (masker != nullptr && masker->run.is_here()) guarded([&] { delete masker; });
}

const char* nbs_error(void) {
  return last_error.c_str();
}

const char* nbs_version(void) {
  return NBS_VERSION;
}
