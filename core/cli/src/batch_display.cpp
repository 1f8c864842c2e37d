// SPDX-License-Identifier: Apache-2.0
#include "batch_display.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nbs/base/duration.h"
#include "nbs/base/print.h"
#include "nbs/launch/experience.h"
#include "nbs/launch/machine.h"
#include "nbs/record/metrics_file.h"
#include "nbs/record/run_directory.h"

#include "outcome.h"

namespace nbs::cli {

namespace {

using State = launch::Job::State;

std::string log_of(const launch::Job& job) {
  return record::RunDirectory(job.folder).log().string();
}

// How a run began, if not in a folder of its own from the beginning.
std::string beginning(const launch::Job& job) {
  if (job.checkpoint_refused) return ", from its beginning: the checkpoint was refused, log.txt says why";
  return job.resumed ? ", from its checkpoint" : "";
}

std::string line_of(const launch::Job& job, std::size_t ended, std::size_t total) {
  const std::string head = fmt::format("[{}/{}] {}", ended, total, job.label);
  const std::string why = job.problem.empty() ? "" : ": " + job.problem;
  switch (job.state) {
    case State::running:
      return fmt::format("started   {} -> {}{}\n", job.label, job.folder.string(), beginning(job));
    case State::elsewhere:
      return fmt::format("waits     {}: another process works on it in {}\n", job.label, job.folder.string());
    case State::again:
      return fmt::format("again     {}: failed (status {}){}; see {}\n", job.label, job.status, why, log_of(job));
    case State::skipped:
      return fmt::format("[{}/{}] finished before: {} -> {}\n", ended, total, job.label, job.folder.string());
    case State::done: {
      auto line = fmt::format("{}: {}\n", head, outcome_text(job.folder));
      if (job.status == 0) return line;
      return line +
             fmt::format("{} is finished, but not well (status {}){}; see {}\n", head, job.status, why, log_of(job));
    }
    case State::interrupted:
      return fmt::format("{} interrupted: {}\n", head, outcome_text(job.folder));
    case State::failed:
      return job.folder.empty() ? fmt::format("{} FAILED to start{}\n", head, why)
                                : fmt::format("{} FAILED (status {}){}; see {}\n", head, job.status, why, log_of(job));
    case State::waiting:
      break;
  }
  return "";
}

std::int64_t done_of(const launch::Job& job) {
  return record::iterations_done(record::RunDirectory(job.folder).metrics());
}

class Lines : public BatchDisplay {
 public:
  void changed(const launch::Job& job, std::size_t ended, std::size_t total) override {
    put_now(line_of(job, ended, total));
  }
  void ticked(const launch::BatchStatus&, std::size_t, std::size_t) override {}
  void say_report(const std::string& place) override { put_now(fmt::format("report: {}\n", place)); }
};

// The lines at the bottom are erased before anything else is printed, and printed again behind it.
class Live : public BatchDisplay {
 public:
  ~Live() override { erase(); }

  void changed(const launch::Job& job, std::size_t ended, std::size_t total) override {
    erase();
    put_now(line_of(job, ended, total));
  }

  void ticked(const launch::BatchStatus& status, std::size_t ended, std::size_t total) override {
    erase();
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    width_ = known ? size.ws_col : 80;
    const std::size_t most = known && size.ws_row > 4 ? size.ws_row - 3U : 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(most, status.running.size()); ++i)
      text += running_line(*status.running[i]);
    text += cut(fmt::format(
        "{} of {} ended, {} running, {} waiting{}{}", ended, total, status.running.size(), status.waiting,
        status.short_of_memory ? " (for memory)" : "",
        status.seconds_left ? fmt::format("; about {} left", duration_text(*status.seconds_left)) : std::string()));
    lines_ = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    put_now(text);
  }

  void say_report(const std::string& place) override {
    erase();
    put_now(fmt::format("report: {}\n", place));
  }

 private:
  std::string running_line(const launch::Job& job) const {
    constexpr std::size_t kWidth = 12;
    const auto done = done_of(job);
    const auto total = std::max<std::int64_t>(1, launch::iterations_of(job.pipeline));
    const auto filled =
        static_cast<std::size_t>(std::clamp<std::int64_t>(static_cast<std::int64_t>(kWidth) * done / total, 0, kWidth));
    const auto left = launch::seconds_left(job, done);
    return cut(fmt::format("  [{}{}] {}/{}  {}  {}  {}", std::string(filled, '#'), std::string(kWidth - filled, '.'),
                           done, total, left ? duration_text(*left) + " left" : "starts",
                           launch::memory_text(job.memory_mib), job.label));
  }

  // A line that is wider than the terminal would take two.
  std::string cut(std::string line) const {
    if (line.size() < width_) return line + "\n";
    auto end = width_ - 1;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80)
      --end;  // not in the middle of a character
    return line.substr(0, end) + "\n";
  }

  void erase() {
    if (lines_ > 0) put_now(fmt::format("\033[{}A\033[J", lines_));
    lines_ = 0;
  }

  int lines_ = 0;
  std::size_t width_ = 80;
};

class JsonLines : public BatchDisplay {
 public:
  void changed(const launch::Job& job, std::size_t ended, std::size_t total) override {
    static constexpr const char* kEvents[] = {"waiting", "finished before", "begins",    "finished",
                                              "failed",  "interrupted",     "elsewhere", "again"};
    Json line = {{"event", kEvents[static_cast<int>(job.state)]},
                 {"run", job.label},
                 {"folder", job.folder.string()},
                 {"ended", ended},
                 {"total_runs", total}};
    if (job.state == State::running) line["from_checkpoint"] = job.resumed;
    if (job.status != 0) line["exit_status"] = job.status;
    if (!job.problem.empty()) line["problem"] = job.problem;
    put_line(line);
  }

  // Ten seconds are often enough for a program.
  void ticked(const launch::BatchStatus& status, std::size_t ended, std::size_t total) override {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < std::chrono::seconds(10)) return;
    told_ = now;
    Json running = Json::array();
    for (const auto* const job : status.running) {
      const auto done = done_of(*job);
      running.push_back({{"run", job->label},
                         {"done", done},
                         {"of", launch::iterations_of(job->pipeline)},
                         {"seconds_left", or_null(launch::seconds_left(*job, done))},
                         {"memory_mib", job->memory_mib}});
    }
    put_line({{"event", "progress"},
              {"ended", ended},
              {"total_runs", total},
              {"waiting", status.waiting},
              {"short_of_memory", status.short_of_memory},
              {"seconds_left", or_null(status.seconds_left)},
              {"running", std::move(running)}});
  }

  void say_report(const std::string& place) override { put_line({{"event", "report"}, {"file", place}}); }

 private:
  using Json = nlohmann::ordered_json;

  static Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
  static void put_line(const Json& line) { put_now(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"); }

  std::chrono::steady_clock::time_point told_ = {};
};

}  // namespace

std::unique_ptr<BatchDisplay> batch_display(const std::string& style) {
  if (style == "json") return std::make_unique<JsonLines>();
  const bool live = style == "live" || (style == "auto" && isatty(STDOUT_FILENO) != 0);
  if (live) return std::make_unique<Live>();
  return std::make_unique<Lines>();
}

}  // namespace nbs::cli
