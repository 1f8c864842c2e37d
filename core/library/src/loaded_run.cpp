// SPDX-License-Identifier: Apache-2.0
#include "loaded_run.h"

#include <mutex>
#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <omp.h>

#include "nbs/config/document.h"
#include "nbs/error.h"
#include "nbs/host/kept_reports.h"
#include "nbs/host/thread_count.h"
#include "nbs/record/run_directory.h"
#include "nbs/record/same_plugins.h"
#include "nbs/tensor.h"

#include "ended_run.h"
#include "run_masker.h"
#include "run_plugins.h"
#include "session.h"

namespace nbs::library {

namespace {

using Log = std::function<void(const std::string&)>;

// Where what is found out about plugins while they run goes: to the log of the run whose thread it is.
thread_local const Log* log_of_thread = nullptr;

void collect_reports() {
  static std::once_flag once;
  std::call_once(once, [] {
    host::collect_kept_reports([](const std::string& line) {
      if (log_of_thread != nullptr) (*log_of_thread)("warning: " + line);
    });
  });
}

// Puts the state of LibTorch's global generator back: networks draw their first parameters from it, which are then
// replaced by those of the model, and the program's own numbers are to be what they would have been.
class KeptGenerator {
 public:
  KeptGenerator() : generator_(at::detail::getDefaultCPUGenerator()), state_(state()) {}
  ~KeptGenerator() {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    generator_.set_state(state_);
  }
  KeptGenerator(const KeptGenerator&) = delete;
  KeptGenerator& operator=(const KeptGenerator&) = delete;

 private:
  torch::Tensor state() {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    return generator_.get_state();
  }

  at::Generator generator_;
  torch::Tensor state_;
};

void require_float_tensors() {
  const auto type = c10::typeMetaToScalarType(c10::get_default_dtype());
  if (type == c10::ScalarType::Float) return;
  throw Error(
      fmt::format("the program has set LibTorch's default type of tensors to {}, but plugins compute with "
                  "Float; set it back (torch::set_default_dtype) before images are masked",
                  c10::toString(type)));
}

// What set_up_process() sets for a program of ours, as far as it is this thread's alone. Threads that OpenMP starts for
// it have the same treatment of denormal numbers.
void set_up_thread(std::int64_t threads) {
  // LibTorch sets a thread's number when it is first asked, and not again.
  host::expect_global_thread_count(at::get_num_threads());
  omp_set_num_threads(static_cast<int>(threads));
  at::globalContext().setFlushDenormal(true);
}

}  // namespace

struct LoadedRun::Parts {
  Log log;
  std::optional<worker::Session> session;
  std::optional<worker::RunMasker> masker;
};

LoadedRun::LoadedRun(const std::string& folder, LoadChoices choices) : parts_(std::make_unique<Parts>()) {
  collect_reports();
  // Loading runs code that may not expect to be run twice at a time: a library's initializers, first uses of LibTorch.
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  parts_->log = [log = std::move(choices.log)](const std::string& line) {
    if (log) log(line);
  };
  try {
    thread_.run([&] { load(folder, choices); });
  } catch (...) {
    thread_.run([this] { parts_.reset(); });
    throw;
  }
}

LoadedRun::~LoadedRun() {
  // Where it was made: plugins may keep something for each thread.
  thread_.run([this] { parts_.reset(); });
}

void LoadedRun::load(const std::string& folder, const LoadChoices& choices) {
  log_of_thread = &parts_->log;
  require_float_tensors();
  const record::RunDirectory run(folder);
  const auto result = worker::read_ended_run(run.folder());
  const KeptGenerator kept;
  const auto find = [&](const config::Document& document) {
    return load_run_plugins(run, document, choices.plugin_folders, choices.allow_changed_plugins, parts_->log);
  };
  auto& session = parts_->session.emplace(config::Document::from_file(run.resolved()), choices.threads, parts_->log,
                                          config::Purpose::predict, find);
  record::require_same_plugins(run.folder(), session.pipeline(), choices.allow_changed_plugins, parts_->log);
  set_up_thread(session.threads());
  parts_->masker.emplace(session, run, result);
  threshold_ = *result.threshold;
  image_size_ = session.pipeline().data.options.image_size;
  threads_ = session.threads();
}

void LoadedRun::mask(const cv::Mat& stored, const std::function<void(int y, const float* probabilities)>& visit) {
  thread_.run([&] {
    require_float_tensors();
    if (parts_->masker->tiles()) {  // at the size of the file, which may be large
      parts_->masker->mask_by_rows(stored, [&](int begin, const cv::Mat& rows) {
        for (int y = 0; y < rows.rows; ++y)
          visit(begin + y, rows.ptr<float>(y));
      });
      return;
    }
    const auto masked = parts_->masker->mask(stored);
    worker::for_each_row(stored.size(), worker::resized_rows(masked.probability, stored.size()), visit);
  });
}

}  // namespace nbs::library
