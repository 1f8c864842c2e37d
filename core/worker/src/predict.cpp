// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/data/image.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"
#include "nbs/record/same_plugins.h"

#include "arguments.h"
#include "commands.h"
#include "ended_run.h"
#include "error_sentence.h"
#include "prediction.h"
#include "process_setup.h"
#include "run_masker.h"
#include "session.h"

namespace nbs::worker {

namespace {

// Pictures of more pixels are written while they are made; for smaller ones there is memory.
constexpr std::size_t kLargePixels = 64'000'000;
// Of these there is memory for two, one that is written and one that is masked.
constexpr std::size_t kSmallPixels = 16'000'000;

void write_by_rows(RunMasker& masker, const cv::Mat& stored, const std::filesystem::path& out, const std::string& stem,
                   double threshold) {
  PredictionFiles files(out, stem, stored.size(), threshold);
  masker.mask_by_rows(stored, [&](int begin, const cv::Mat& probability) {
    files.add(probability, data::rgb_of(stored.rowRange(begin, begin + probability.rows)));
  });
  files.finish();
}

// Nothing that is read may be written over, and what is written must not be masked by the next call.
void require_apart(const std::vector<std::filesystem::path>& files, const std::filesystem::path& out) {
  std::map<std::string, std::string> written;  // the name of each file, and the image that it is of
  for (const auto& file : files) {
    const auto stem = file.stem().string();
    for (const auto& path : prediction_files(out, stem))
      written.emplace(path.filename().string(), stem);
  }
  std::error_code ignored;
  for (const auto& file : files) {
    const auto found = written.find(file.filename().string());
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    if (found == written.end() || !std::filesystem::equivalent(folder, out, ignored)) continue;
    throw Error(
        fmt::format("the image {} would be written over by what is made of {}; choose another folder with --out",
                    file.string(), found->second));
  }
}

}  // namespace

int predict(const std::vector<std::string>& words) {
  const Arguments arguments(words, {"out", "size", "threshold", "plugin-path", "allow-changed-plugins"});
  const record::RunDirectory run(arguments.need_plain(0, "RUN"));
  const std::filesystem::path out = arguments.need("out");
  const bool native = arguments.get("size", "native") == "native";
  const auto result = read_ended_run(run.folder());
  const auto files = data::image_files_among(
      std::vector<std::filesystem::path>(arguments.plain().begin() + 1, arguments.plain().end()));
  if (files.empty()) throw Error("no image was named, so nothing was masked; name images, or folders of images");
  const std::string wanted = arguments.get("threshold", "");
  const double threshold = wanted.empty() ? *result.threshold : parse_number(wanted, "--threshold", 0, 1);
  Session session(run.resolved(), 0, say, config::Purpose::predict, arguments.lines("plugin-path"));
  record::require_same_plugins(run.folder(), session.pipeline(), arguments.get("allow-changed-plugins", "no") == "yes",
                               say);
  set_up_process(session);
  RunMasker masker(session, run, result);
  std::error_code failed;
  std::filesystem::create_directories(out, failed);
  if (!std::filesystem::is_directory(out)) {
    throw Error(fmt::format("the folder {} for the masks cannot be made: {}; choose another with --out", out.string(),
                            failed ? failed.message() : "a file has its name"));
  }
  require_apart(files, out);
  remove_unfinished_files(out);  // of a call that was killed; of a large picture they are large
  bool all = true;
  // One bad file must not cost the masks of the others.
  const auto attempt = [&](const auto& action) {
    try {
      action();
    } catch (const std::exception& error) {
      say(error_sentence(error));
      all = false;
    }
  };
  std::future<void> writing;  // compressing pictures leaves a core idle, so the next image is masked meanwhile
  const auto finish_writing = [&] {
    if (writing.valid()) attempt([&] { writing.get(); });
  };
  for (const auto& file : files) {
    attempt([&] {
      const cv::Mat stored = data::read_stored_image(file);
      if (stored.total() > kSmallPixels) finish_writing();
      if (masker.tiles() && stored.total() > kLargePixels) {
        write_by_rows(masker, stored, out, file.stem().string(), threshold);
        return;
      }
      const auto masked = masker.mask(stored);
      const auto write = [&out, stem = file.stem().string(), stored, masked, native, threshold] {
        const Rows colors = native ? Rows([&](int begin, int end) { return data::rgb_of(stored.rowRange(begin, end)); })
                                   : Rows([&](int begin, int end) { return masked.image.rowRange(begin, end); });
        const cv::Size shown = native ? stored.size() : masked.probability.size();
        write_prediction(out, stem, shown, resized_rows(masked.probability, shown), colors, threshold);
      };
      finish_writing();
      writing = std::async(std::launch::async, write);
      if (stored.total() > kSmallPixels) finish_writing();
    });
  }
  finish_writing();
  return all ? 0 : 1;
}

}  // namespace nbs::worker
