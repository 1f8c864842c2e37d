// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::tiny_pipeline;
namespace fs = std::filesystem;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

namespace {

// Words of a run in which the autoencoder's loss grows without bound: a large step, and many layers in a row.
Words diverging(const std::string& length) {
  return {"run",        "a.toml",
          "--progress", "none",
          "--run-dir",  "run",
          "--set",      "autoencoder.learning_rate=10",
          "--set",      "autoencoder.channels=[8, 8, 8, 8]",
          "--set",      "train.iterations=200",
          "--set",      "profile.length=" + length};
}

Json result_of(const Program& nbs) {
  return Json::parse(nbs::read_file(nbs.folder() / "run" / "result.json"));
}

}  // namespace

TEST_CASE("a loss that becomes infinite ends the run as diverged, with what was good before") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  // Profiles of one map are full at once, so there is a good state before.
  const auto ended = nbs(diverging("1"));
  INFO(ended.errors);
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("the likely cause is a learning rate of the autoencoder that is too high"));
  const auto result = result_of(nbs);
  CHECK(result.at("stop_reason") == "diverged");
  CHECK(text(ended.errors) == Contains(result.at("explanation").get<std::string>().c_str()));
  CHECK(result.at("iterations") < 200);
  CHECK(result.at("best").at("iteration") < result.at("iterations"));
  CHECK(result.at("scores").at("auroc").is_number());
  CHECK(fs::exists(nbs.folder() / "run" / "model" / "predictor.safetensors"));
  CHECK(text(ended.output) == Contains("report: run/report.html"));
}

TEST_CASE("a run that diverges before any profile is full says so, and has no scores") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  const auto ended = nbs(diverging("150"));
  INFO(ended.errors);
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) ==
        Contains("training ended before any profile was full, so there is nothing to predict from\n"));
  // The reason is the last line, which a batch tells.
  const auto last = ended.errors.rfind('\n', ended.errors.size() - 2);
  CHECK(text(ended.errors.substr(last + 1)) == Contains("the likely cause is a learning rate"));
  CHECK(text(ended.output) == Contains("result: diverged, no scores"));
  const auto result = result_of(nbs);
  CHECK(result.at("stop_reason") == "diverged");
  CHECK_FALSE(result.contains("best"));
  CHECK_FALSE(fs::exists(nbs.folder() / "run" / "model"));
}

TEST_CASE("a predictor that needs profiles is refused without what makes them, before training") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  const auto ended =
      nbs({"run", "a.toml", "--run-dir", "run", "--set", "sampler.plugin=none", "--set", "autoencoder.plugin=none"});
  CHECK(ended.status != 0);
  CHECK(text(ended.errors) == Contains("needs loss profiles as it is set, but the pipeline has no [sampler]"));
  CHECK_FALSE(fs::exists(nbs.folder() / "run" / "metrics.jsonl"));
}

TEST_CASE("a run whose images cannot be used leaves no folder, and says why it ended at the end") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  REQUIRE(nbs({"data", "a.toml", "--export", "set"}).status == 0);
  for (const auto& entry : fs::directory_iterator(nbs.folder() / "set" / "images"))
    nbs::write_file(entry.path(), "no picture");
  const auto words = [](const std::vector<std::string>& more) {
    std::vector<std::string> all = {
        "run",   "a.toml",        "--progress", "none",          "--set", "data.format=folder",
        "--set", "data.root=set", "--set",      "data.labeled=3"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const auto ended = nbs(words({"--out", "runs"}));
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("is not an image that can be read"));
  CHECK(ended.output.empty());
  CHECK(fs::is_empty(nbs.folder() / "runs"));
  CHECK(nbs(words({"--run-dir", "own"})).status == 1);
  CHECK_FALSE(fs::exists(nbs.folder() / "own"));
}

TEST_CASE("an output folder that cannot be made or is in use is refused before training") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  auto ended = nbs({"run", "a.toml", "--out", "a.toml/runs"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) ==
        Contains("nbs: the output folder a.toml/runs cannot be made: Not a directory; choose another with --out"));
  const auto kept = nbs.folder().write("run/notes.txt", "mine");
  ended = nbs({"run", "a.toml", "--run-dir", "run"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("the run folder run is not empty; name a new one, so that no result is lost"));
  CHECK(nbs::read_file(kept) == "mine");
  CHECK_FALSE(fs::exists(nbs.folder() / "run" / "resolved.toml"));
}

TEST_CASE("a disk that is full while a run writes ends it with the file and the reason, and leaves no half of one") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  REQUIRE(nbs({"check", "a.toml"}).status == 0);  // the plugins are described: later writes are the run's own
  // A limit on the size of files stands for the full disk; ignored, the signal becomes an error of the write. 4 blocks
  // of 512 bytes are room for the small files, not for the model.
  const auto ended = nbs({"run", "a.toml", "--progress", "none", "--run-dir", "run"}, "trap '' XFSZ; ulimit -f 4;");
  INFO(ended.errors);
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("failed: File too large; raise the limit on the size of files (ulimit -f)"));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(nbs.folder() / "run")) {
    CAPTURE(entry.path().string());
    CHECK(entry.path().extension() != ".tmp");
    if (entry.is_regular_file()) ++files;
  }
  CHECK(files > 0);
  CHECK_FALSE(fs::exists(nbs.folder() / "run" / "result.json"));
}
