// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <filesystem>
#include <thread>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "background.h"
#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Background;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::tiny_pipeline;
namespace fs = std::filesystem;
using Json = nlohmann::json;

// How nbs ends when its worker, its output or its user do not behave as expected.

namespace {

// nbs with a shell script in the place of the worker; plugins are still described by the real one. The script's
// arguments are those of a run: $2 is the resolved pipeline, $4 the run's folder.
struct Staged {
  Program nbs;
  fs::path worker;

  explicit Staged(const std::string& script)
      : worker(nbs.folder().write("worker.sh", "#!/bin/sh\ncase $1 in describe|components) exec '" +
                                                   (fs::path(NBS_PROGRAM).parent_path() / "nbs-worker").string() +
                                                   "' \"$@\";; esac\n" + script + "\n")) {
    fs::permissions(worker, fs::perms::owner_all);
    nbs.folder().write("a.toml", tiny_pipeline());
    nbs.folder().write("sweep.toml", tiny_pipeline() + "[sweep.grid]\nseed = [1, 2, 3]\n");
  }
  nbs::test::Ended operator()(const std::vector<std::string>& words) const {
    return nbs(words, "NBS_WORKER='" + worker.string() + "'");
  }
};

const char* const kResult = R"({"ending": "finished", "threshold": 0.5, "scores": {"f1": 0.25, "oracle": {"f1": 0.5}, )"
                            R"("auroc": null, "average_precision": null}})";

// What a real worker notes of the plugins, which belong to what makes a run finished.
void note_plugins(const Staged& nbs, const fs::path& run) {
  Json plugins = Json::array();
  const auto known = Json::parse(nbs({"plugins", "--json"}).output).at("plugins");
  for (const auto& [kind, name] : {std::pair{"sampler", "random"}, {"autoencoder", "conv"}, {"predictor", "dilated"}}) {
    for (const auto& plugin : known) {
      if (plugin.at("kind") == kind && plugin.at("name") == name)
        plugins.push_back({{"kind", kind}, {"name", name}, {"sha256", plugin.at("hash")}});
    }
  }
  nbs::write_file(run / "provenance.json", Json{{"plugins", plugins}}.dump());
}

std::string leave(const std::string& result) {
  return "echo '" + result + "' > \"$4/result.json\"";
}

}  // namespace

TEST_CASE("a worker that a signal ends is a failure that names the signal") {
  for (const auto& [signal, words] : {std::pair{"KILL", "ended by SIGKILL (signal 9): usually because the machine"},
                                      {"SEGV", "ended by SIGSEGV (signal 11): it crashed"}}) {
    const Staged nbs(std::string("kill -") + signal + " $$");
    auto ended = nbs({"run", "a.toml"});
    CHECK(ended.status == 1);
    CHECK(text(ended.errors) == Contains(words));
    CHECK(ended.output.empty());  // before anything was begun, so no folder of a run is left either
    ended = nbs({"data", "a.toml"});
    CHECK(ended.status == 1);
    CHECK(text(ended.errors) == Contains(words));
    ended = nbs({"batch", "a.toml", "--out", "many"});
    CHECK(ended.status == 1);
    CHECK(text(ended.output) == Contains(words));
  }
}

TEST_CASE("a worker that ends as if all were well, but leaves no result, has failed") {
  const Staged nbs("exit 0");
  auto ended = nbs({"run", "a.toml"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("left no finished result in runs/tiny-"));
  ended = nbs({"batch", "a.toml", "--out", "many"});
  CHECK(ended.status == 1);
  CHECK(text(ended.output) == Contains("left no finished result"));
}

TEST_CASE("scores that are not defined are said to be so, in a run and in a batch that goes on") {
  const Staged nbs(leave(kResult));
  auto ended = nbs({"run", "a.toml"});
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(
      text(ended.output) ==
      Contains("result: F1 0.250 at threshold 0.500 (oracle F1 0.500), AUROC undefined, average precision undefined"));
  CHECK(text(ended.output) == Contains("report.html"));
  ended = nbs({"batch", "sweep.toml", "--out", "many"});
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("[3/3]"));
}

TEST_CASE("a damaged result is said to be one, and ends no batch") {
  for (const char* result :
       {"{\"ending\": \"fini", "[]", "{\"ending\": 3}", "{\"ending\": \"finished\", \"scores\": []}"}) {
    CAPTURE(result);
    const Staged nbs(leave(result));
    auto ended = nbs({"run", "a.toml"});
    CHECK(ended.status <= 1);
    CHECK(text(ended.output) == Contains("result: runs/tiny-"));
    CHECK(text(ended.output) == Contains("result.json is damaged: "));
    ended = nbs({"batch", "sweep.toml", "--out", "many"});
    CHECK(ended.status <= 1);
    CHECK(text(ended.output) == Contains("[3/3]"));
  }
}

TEST_CASE("one clean scored image: a real run has scores, undefined ones among them, and a report") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  REQUIRE(nbs({"data", "a.toml", "--export", "set"}).status == 0);
  const std::vector<std::string> folder = {"--set", "data.format=folder", "--set", "data.root=set"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), folder.begin(), folder.end());
    return nbs(words);
  };
  const auto split = Json::parse(with({"data", "a.toml"}).output);
  for (const auto& image : split.at("images")) {
    if (image.at("role") != "unlabeled") continue;
    cv::imwrite((nbs.folder() / "set/masks" / image.at("file").get<std::string>()).string(),
                cv::Mat::zeros(32, 32, CV_8UC1));
  }
  const auto ended = with({"run", "a.toml", "--run-dir", "run", "--progress", "none"});
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("AUROC undefined"));
  CHECK(fs::exists(nbs.folder() / "run" / "report.html"));
}

TEST_CASE("a run whose pictures failed says so, fails, and is finished for a batch") {
  const Staged nbs(
      leave(R"({"ending": "finished", "missing_pictures": {"count": 3, "reasons": ["the disk is full"]}})") +
      "; exit 1");
  auto ended = nbs({"run", "a.toml"});
  CHECK(ended.status == 1);
  CHECK(text(ended.output) == Contains("3 of the pictures could not be written: the disk is full"));
  for (const auto& run : fs::directory_iterator(nbs.nbs.folder() / "runs"))
    CHECK(text(nbs::read_file(run.path() / "report.html")) ==
          Contains("3 pictures could not be written: the disk is full"));
  ended = nbs({"batch", "a.toml", "--out", "many"});
  CHECK(ended.status == 1);
  CHECK(text(ended.output) == Contains("3 of the pictures could not be written: the disk is full"));
  CHECK(text(ended.output) == Contains("is finished, but not well (status 1)"));
  for (const auto& run : fs::directory_iterator(nbs.nbs.folder() / "many")) {
    if (run.is_directory()) note_plugins(nbs, run.path());
  }
  ended = nbs({"batch", "a.toml", "--out", "many"});
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("finished before"));
}

TEST_CASE("an interrupted batch ends its runs cleanly, writes its report, and says how it goes on") {
  const Staged nbs("if grep -q 'seed = 1$' \"$2\"; then " + leave(kResult) +
                   "; exit 0; fi\n"
                   "trap 'echo \"{\\\"ending\\\": \\\"interrupted\\\"}\" > \"$4/result.json\"; exit 130' INT TERM\n"
                   "echo ready > \"$4/ready\"\nwhile :; do sleep 0.05; done");
  for (const int signal : {SIGINT, SIGTERM}) {
    fs::remove_all(nbs.nbs.folder() / "many");
    Background batch({NBS_PROGRAM, "batch", "sweep.toml", "--out", "many"}, nbs.nbs.folder().path(),
                     {{"NBS_WORKER", nbs.worker.string()},
                      {"NBS_PLUGIN_PATH", ""},
                      {"XDG_CACHE_HOME", (nbs.nbs.folder() / "cache").string()}});
    const auto ready = [&] {
      if (!fs::exists(nbs.nbs.folder() / "many")) return false;
      for (const auto& run : fs::directory_iterator(nbs.nbs.folder() / "many")) {
        if (fs::exists(run.path() / "ready")) return true;
      }
      return false;
    };
    REQUIRE(nbs::test::wait_until(ready));
    batch.send(signal);
    CHECK(batch.wait() == 128 + signal);
    CHECK(text(batch.errors()) ==
          Contains(
              "interrupted: of 3 runs 1 are finished, 0 failed, 1 were cut short and 1 not started; the same command"));
    CHECK(fs::exists(nbs.nbs.folder() / "many" / "index.html"));
  }
}

TEST_CASE("what cannot be printed is a failure with a sentence; a reader that had enough is none") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  nbs.folder().write("runs/a/result.json", kResult);
  nbs.folder().write("runs/a/resolved.toml", "name = \"a\"\n");
  const std::vector<std::vector<std::string>> commands = {
      {"table", "runs"}, {"--help"}, {"options"}, {"plugins", "--json"}, {"check", "a.toml"}, {"data", "a.toml"}};
  for (const auto& words : commands) {
    CAPTURE(words[0]);
    CHECK(nbs.with_streams(words, "> all.txt") == 0);
    CHECK(nbs.with_streams(words, "> /dev/full 2> errors.txt") == 1);
    CHECK(text(nbs::read_file(nbs.folder() / "errors.txt")) ==
          Contains("standard output could not be written: No space left on device"));
    CHECK(nbs.with_streams(words, ">&- 2> errors.txt") == 1);
    // The reader ends before anything is written.
    CHECK(nbs.with_streams(words, "2> errors.txt; echo $? > status.txt; } | true", "{ sleep 0.1; ") == 0);
    CHECK(nbs::test::lines_of(nbs.folder() / "status.txt").at(0) == "0");
    CHECK(nbs::read_file(nbs.folder() / "errors.txt").empty());
    // Messages that cannot be written change nothing.
    CHECK(nbs.with_streams(words, "> again.txt 2>&-") == 0);
    CHECK(nbs::read_file(nbs.folder() / "again.txt") == nbs::read_file(nbs.folder() / "all.txt"));
  }
  CHECK(nbs.with_streams({"chekc"}, "2> /dev/full") == 2);
  CHECK(nbs.with_streams({"check", "none.toml"}, "2> /dev/full") == 2);
}

TEST_CASE("more runs at a time than cores may be asked for, and one a core is done; 1024 is the most") {
  const Staged nbs(leave(kResult));
  std::string seeds;
  for (int i = 0; i < 70; ++i)
    seeds += std::to_string(i) + ", ";
  nbs.nbs.folder().write("many.toml", tiny_pipeline() + "[sweep.grid]\nseed = [" + seeds + "]\n");
  auto ended = nbs({"batch", "many.toml", "-j", "1024"});
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("[70/70]"));
  if (std::thread::hardware_concurrency() < 1024) CHECK(text(ended.errors) == Contains(" cores, so at most "));
  for (const char* wrong : {"0", "1025", "99999999999999999999", "two"}) {
    ended = nbs({"batch", "many.toml", "-j", wrong});
    CHECK(ended.status == 2);
    CHECK(text(ended.errors) == Contains("--jobs: Value "));
  }
}
