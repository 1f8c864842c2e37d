// SPDX-License-Identifier: Apache-2.0
#include "run_data.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/print.h"

#include "images.h"
#include "remarks.h"
#include "stop_request.h"

namespace nbs::worker {

namespace {

std::int64_t held_out_count(const config::EvaluationOptions& options, std::int64_t auxiliary) {
  const auto share = std::llround(options.normal_share * static_cast<double>(auxiliary));
  return std::max<std::int64_t>(1, share);
}

// Shows how far reading is, one stage of it after the other; nothing of a stage that takes no time.
class ReadingProgress {
 public:
  explicit ReadingProgress(Progress::Style style) : style_(style) {}
  ~ReadingProgress() {
    if (shown_) shown_->finish();
  }
  ReadingProgress(const ReadingProgress&) = delete;
  ReadingProgress& operator=(const ReadingProgress&) = delete;

  void show(const std::string& what, std::int64_t done, std::int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (what != stage_) {
      if (shown_) shown_->finish();
      shown_.reset();
      stage_ = what;
      begin_ = now;
    }
    if (!shown_ && now - begin_ < std::chrono::seconds(2)) return;
    if (!shown_) {
      shown_.emplace(style_, total, begin_);
      shown_->say(what);
    }
    if (total > 0 && done > 0) shown_->update(done, {});
  }

 private:
  Progress::Style style_;
  std::optional<Progress> shown_;
  std::string stage_;
  std::chrono::steady_clock::time_point begin_;
};

// What the loss maps of labeled views take is known only when the images are.
void say_memory_of_views(const config::Pipeline& pipeline, const RunData& data) {
  if (data.set.plans.empty() || !pipeline.autoencoder) return;
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  const auto plane = static_cast<double>(data.set.size * data.set.size) * sizeof(float);
  const auto maps = data.images.labeled * pipeline.profile.options.length;
  const double needed = plane * static_cast<double>(maps) / kGiB;
  if (needed < 1) return;
  say(fmt::format("the {} labeled images have {} views, whose loss maps take {:.1f} GiB of memory", data.set.labeled,
                  data.images.labeled, needed));
}

}  // namespace

RunData load_run_data(const config::Pipeline& pipeline, const record::RunDirectory& out, std::int64_t threads,
                      Progress::Style style) {
  const auto& options = pipeline.data.options;
  RunData data;
  data.listing = data::list_samples(options);
  data.split = data::draw_split(data.listing, options);
  say_remarks(data.listing, data.split, options);
  write_file(out.split(), data::manifest(data.listing, data.split, options));
  ReadingProgress progress(style);
  data.set = data::load_training_set(data.listing, data.split, options,
                                     {threads, [&](const char* what, std::int64_t done, std::int64_t total) {
                                        progress.show(what, done, total);
                                        return !stop_requested();
                                      }});
  if (const auto file = data.set.images->file(); !file.empty())
    say(fmt::format("the images are kept in {}, for other runs as well; remove it when it is no longer wanted",
                    file.string()));
  data.images = as_tensors(data.set);
  data.masks = checksum_of_masks(data.images);
  if (pipeline.evaluation.options.threshold_rule == config::ThresholdRule::normal_area && data.set.auxiliary > 0) {
    const auto held_out = held_out_count(pipeline.evaluation.options, data.set.auxiliary);
    data.images.held_out = views_of_held_out(data.set, held_out);
  }
  say_memory_of_views(pipeline, data);
  return data;
}

}  // namespace nbs::worker
