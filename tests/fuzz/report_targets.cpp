// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/files.h"
#include "nbs/report/report.h"

#include "target.h"

namespace nbs::fuzz {

namespace {

namespace fs = std::filesystem;

const char* const kMetrics =
    "{\"iteration\":0,\"ae_loss\":0.5,\"coverage\":0.9,\"beta\":1.0,\"r_clone\":0.5}\n"
    "{\"iteration\":1,\"ae_loss\":0.25,\"coverage\":0.8,\"beta\":0.5,\"l_pred\":0.7,\"l_pred_smoothed\":0.7,\"best\":1."
    "0}\n"
    "{\"iteration\":2,\"ae_loss\":0.125,\"loss_ratio\":2.5,\"beta\":0.0,\"l_pred\":0.6,\"l_pred_smoothed\":0.65}\n"
    "{\"iteration\":3,\"ae_loss\":0.0625,\"loss_ratio\":null,\"l_pred\":0.5,\"l_pred_smoothed\":0.6,\"sampler_"
    "entropy\":3.1}\n";

// Curves without any range.
const char* const kFlat =
    "{\"iteration\":0,\"ae_loss\":0.5,\"l_pred\":0.1,\"l_pred_smoothed\":0.1}\n"
    "{\"iteration\":1,\"ae_loss\":0.5,\"l_pred\":0.1,\"l_pred_smoothed\":0.1}\n";

const char* const kResolved =
    "name = \"one\"\nseed = 1\n\n[experiment]\ndataset = \"crackforest\"\nmethod = \"proposed\"\n\n[data]\n"
    "format = \"synthetic\"\nlabeled = 5\nsplit_seed = 2\n\n[train]\niterations = 40\nreinit_every = 10\n\n[sampler]\n"
    "plugin = \"rl\"\n";

const char* const kProvenance = "{\"nbs\": \"0.1.0\", \"revision\": \"abc\", \"started\": \"2026-01-01T00:00:00Z\"}";

// As a run writes it, with few images and without the checksum, which would refuse every change before it is read.
std::string result() {
  return read_file(fs::path(NBS_SOURCE_DIR) / "tests/fuzz/result.json");
}

// As a run writes it, with few cells.
const char* const kDiagnostics =
    "{\"labeled_profile\":{\"anomalous\":{\"pixels\":7,\"mean\":[0.5,0.4],\"lower_quartile\":[0.1,0.1],\"median\":[0.4,"
    "0.3],"
    "\"upper_quartile\":[0.8,0.7]},\"normal\":{\"pixels\":0,\"mean\":[],\"lower_quartile\":[],\"median\":[],\"upper_"
    "quartile\":"
    "[]}},\"sampled\":{\"side\":2,\"learning_sampler\":true,\"phases\":[{\"phase\":\"cloning\",\"iterations\":3,\"all_"
    "images\":{"
    "\"patches\":8,"
    "\"cells\":[0.1,0.2,0.3,0.4]},\"labeled_images\":[{\"image_id\":\"a\",\"patches\":2,\"cells\":[0.5,0,0,1]}]},{"
    "\"phase\":"
    "\"after_cloning\",\"iterations\":1,\"all_images\":{\"patches\":1,\"cells\":[1,1,0,0]},\"labeled_images\":[]}]},"
    "\"precision_recall\":{\"threshold\":[0.9,0.1],\"precision\":[1,0.2],\"recall\":[0.3,1],\"at_threshold\":{"
    "\"threshold\":"
    "0.5,"
    "\"precision\":0.6,\"recall\":0.7},\"at_best_f1\":{\"threshold\":0.4,\"precision\":0.5,\"recall\":0.8}}}";

void write_reports(const fs::path& scratch, const std::string& metrics, const std::string& result,
                   const std::string& diagnostics = kDiagnostics) {
  const auto folder = scratch / "run";
  fs::create_directory(folder);
  write_file(folder / "resolved.toml", kResolved);
  write_file(folder / "provenance.json", kProvenance);
  write_file(folder / "metrics.jsonl", metrics);
  write_file(folder / "result.json", result);
  write_file(folder / "diagnostics.json", diagnostics);
  report::write_folder_report(scratch);
  report::results_table({scratch}, report::TableFormat::text, fs::path(NBS_SOURCE_DIR) / "pipelines/paper_tables.json");
}

const std::vector<std::string> kJsonWords = {"null", "true", "[]", "{}",       "\"\"", "\\u0000",
                                             "\xff", ":",    ",",  "\"best\"", "[[[["};

}  // namespace

Target metrics_target() {
  Target target;
  target.name = "metrics";
  target.is_text = true;
  target.seeds = {{"metrics.jsonl", kMetrics}, {"flat.jsonl", kFlat}};
  target.words = kJsonWords;
  target.read = [](const Seed& input, const fs::path& scratch) { write_reports(scratch, input.bytes, result()); };
  return target;
}

Target result_target() {
  Target target;
  target.name = "result";
  target.is_text = true;
  target.seeds = {{"result.json", result()}};
  target.words = kJsonWords;
  target.read = [](const Seed& input, const fs::path& scratch) { write_reports(scratch, kMetrics, input.bytes); };
  return target;
}

Target diagnostics_target() {
  Target target;
  target.name = "diagnostics";
  target.is_text = true;
  target.seeds = {{"diagnostics.json", kDiagnostics}};
  target.words = kJsonWords;
  target.read = [](const Seed& input, const fs::path& scratch) {
    write_reports(scratch, kMetrics, result(), input.bytes);
  };
  return target;
}

}  // namespace nbs::fuzz
