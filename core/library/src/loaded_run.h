// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "own_thread.h"
#include "prediction.h"

namespace nbs::library {

/// How a run is loaded.
struct LoadChoices {
  std::vector<std::string> plugin_folders;
  bool allow_changed_plugins = false;
  std::int64_t threads = 0;  ///< 0: as the run says
  std::function<void(const std::string&)> log;
};

/// A finished run with a thread of its own, on which everything of it is made and used, so that no setting of a
/// caller's thread, and as little as possible of the process', is touched.
class LoadedRun {
 public:
  /// Throws nbs::Error, or what LibTorch and OpenCV throw.
  LoadedRun(const std::string& folder, LoadChoices choices);
  ~LoadedRun();
  LoadedRun(const LoadedRun&) = delete;
  LoadedRun& operator=(const LoadedRun&) = delete;

  double threshold() const { return threshold_; }
  std::int64_t image_size() const { return image_size_; }
  std::int64_t threads() const { return threads_; }
  /// False in a copy of the process that has loaded it, where it can be neither used nor destroyed.
  bool is_here() const { return thread_.is_here(); }

  /// Masks an image as data::read_stored_image() gives it, and hands every row of the probabilities to `visit`, at the
  /// image's own size. Several threads may call it; they wait for each other. Throws as the constructor.
  void mask(const cv::Mat& stored, const std::function<void(int y, const float* probabilities)>& visit);

 private:
  struct Parts;  // all that needs LibTorch
  void load(const std::string& folder, const LoadChoices& choices);

  std::unique_ptr<Parts> parts_;
  double threshold_ = 0;
  std::int64_t image_size_ = 0;
  std::int64_t threads_ = 0;
  OwnThread thread_;
};

}  // namespace nbs::library
