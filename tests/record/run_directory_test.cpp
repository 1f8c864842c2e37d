// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/run_directory.h"

#include <set>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error_text.h"
#include "run_environment.h"

using namespace nbs;
using doctest::Contains;
using record::RunDirectory;
using record::RunState;

TEST_CASE("a run's folder is named after the pipeline and its hash, and holds the resolved file") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("crack", 3);
  const auto folder = RunDirectory::create(scratch / "deep" / "runs", pipeline).folder();
  CHECK(folder.parent_path() == scratch / "deep" / "runs");
  CHECK(folder.filename().string() == "crack-" + config::short_hash(pipeline));
  CHECK(nbs::read_file(folder / "resolved.toml") == config::to_toml(pipeline));
  const auto other = RunDirectory::create(scratch / "deep" / "runs", test::small_pipeline("crack", 4)).folder();
  CHECK(other.filename().string().substr(0, 6) == "crack-");
  CHECK(other != folder);
  CHECK(other.filename().string().size() == folder.filename().string().size());
}

TEST_CASE("the same pipeline again gets a folder with a number") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  const auto first = RunDirectory::create(scratch.path(), pipeline).folder();
  scratch.write(first.filename().string() + "/result.json", "{}");
  CHECK(RunDirectory::create(scratch.path(), pipeline).folder() == std::filesystem::path(first.string() + "-2"));
  CHECK(RunDirectory::create(scratch.path(), pipeline).folder() == std::filesystem::path(first.string() + "-3"));
  CHECK(nbs::read_file(first / "result.json") == "{}");
}

TEST_CASE("runs that start at the same moment never share a folder") {
  const test::Scratch scratch;
  constexpr int kRuns = 12;
  const auto pipeline = test::small_pipeline("race");
  int gate[2];  // all children wait until the parent closes it
  REQUIRE(pipe(gate) == 0);
  for (int i = 0; i < kRuns; ++i) {
    if (fork() != 0) continue;
    close(gate[1]);
    char nothing = 0;
    int code = read(gate[0], &nothing, 1) == 0 ? 0 : 2;
    try {
      const auto folder = RunDirectory::create(scratch / "runs", pipeline).folder();
      nbs::write_file(scratch / ("got-" + std::to_string(i)), folder.filename().string());
      RunDirectory::use(scratch / "named", pipeline);
      nbs::write_file(scratch / ("named-" + std::to_string(i)), "");
    } catch (const Error&) {
    } catch (...) {
      code = 3;
    }
    _exit(code);
  }
  close(gate[0]);
  close(gate[1]);
  for (int i = 0; i < kRuns; ++i) {
    int status = 0;
    wait(&status);
    CHECK(status == 0);
  }
  std::set<std::string> folders;
  int named = 0;
  for (int i = 0; i < kRuns; ++i) {
    folders.insert(nbs::read_file(scratch / ("got-" + std::to_string(i))));
    named += std::filesystem::exists(scratch / ("named-" + std::to_string(i))) ? 1 : 0;
  }
  CHECK(folders.size() == kRuns);
  CHECK(named == 1);
}

TEST_CASE("a folder that the user names must be new or empty") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  CHECK(RunDirectory::use(scratch / "new" / "run", pipeline).folder() == scratch / "new" / "run");
  CHECK(nbs::read_file(scratch / "new" / "run" / "resolved.toml") == config::to_toml(pipeline));
  std::filesystem::create_directories(scratch / "empty");
  CHECK_NOTHROW(RunDirectory::use(scratch / "empty", pipeline));
  scratch.write("full/result.json", "precious");
  CHECK(test::error_text([&] { RunDirectory::use(scratch / "full", pipeline); }) ==
        test::text("the run folder " + (scratch / "full").string() +
                   " is not empty; name a new one, so that no result is lost"));
  CHECK(test::entries_of(scratch / "full").size() == 1);
}

TEST_CASE("an output folder that cannot be made is named, with what to do") {
  const test::Scratch scratch;
  const auto file = scratch.write("file", "");
  const auto pipeline = test::small_pipeline("a");
  for (const auto& parent : {file, file / "below", std::filesystem::path("/proc/nbs")}) {
    CAPTURE(parent.string());
    const auto sentence = test::error_text([&] { RunDirectory::create(parent, pipeline).folder(); });
    CHECK(sentence == Contains(parent.c_str()));
    CHECK(sentence == Contains("cannot be made"));
    CHECK(sentence == Contains("--out"));
    CHECK(test::error_text([&] { RunDirectory::use(parent, pipeline); }) == Contains("--out"));
  }
}

TEST_CASE("what was cut off goes on; what has ended by itself, or cannot be read, does not") {
  const test::Scratch scratch;
  const auto run = RunDirectory::create(scratch.path(), test::small_pipeline("a"));
  const auto states = [&](const std::string& result) {
    nbs::write_file(run.result(), result);
    return std::pair(run.was_cut_off(), run.is_complete());
  };
  const auto cut_off = std::pair(true, false);
  const auto complete = std::pair(false, true);
  const auto neither = std::pair(false, false);
  CHECK((std::pair(run.was_cut_off(), run.is_complete()) == cut_off));
  CHECK((states("{\"ending\": \"finished\"}") == complete));
  CHECK((states("{\"ending\": \"diverged\"}") == neither));
  CHECK((states("{\"ending\": ") == neither));
  // Told to stop, without anything to go on from, and with it.
  CHECK((states("{\"ending\": \"interrupted\"}") == neither));
  nbs::write_file(run.checkpoint(), "x");
  CHECK(run.has_checkpoint());
  CHECK((states("{\"ending\": \"interrupted\"}") == cut_off));
  CHECK((states("{\"ending\": \"diverged\"}") == neither));
  CHECK((states("{\"ending\": \"patience\"}") == complete));
  // Killed while it wrote pictures, or without some for another reason.
  record::RunResult result;
  result.missing_pictures = {12, {record::kPicturesCutOff}};
  run.write_result(result);
  CHECK(run.was_cut_off());
  CHECK(run.is_finished());
  CHECK_FALSE(run.is_complete());
  result.missing_pictures = {1, {"writing a.png failed: File name too long"}};
  run.write_result(result);
  CHECK_FALSE(run.was_cut_off());
  CHECK(run.is_complete());
  CHECK_FALSE(RunDirectory(scratch / "none").was_cut_off());
}

TEST_CASE("a run is finished if its result says so") {
  const test::Scratch scratch;
  CHECK_FALSE(RunDirectory(scratch / "none").is_finished());
  CHECK_FALSE(RunDirectory(scratch.path()).is_finished());
  const auto with = [&](const std::string& text) {
    scratch.write("result.json", text);
    return RunDirectory(scratch.path()).is_finished();
  };
  CHECK(with("{\"ending\": \"finished\"}"));
  CHECK(with("{\"ending\": \"patience\"}"));
  CHECK_FALSE(with("{\"ending\": \"interrupted\"}"));
  CHECK_FALSE(with("{\"ending\": 3}"));
  CHECK_FALSE(with("{}"));
  CHECK_FALSE(with("[1, 2]"));
  CHECK_FALSE(with("{\"ending\": \"fini"));
  CHECK_FALSE(with(""));
}

TEST_CASE("the state of a run is told from its files, a damaged result by its name") {
  const test::Scratch scratch;
  const RunDirectory run(scratch / "run");
  CHECK_FALSE(run.holds_run());
  CHECK(run.state() == RunState::unfinished);
  scratch.write("run/metrics.jsonl", "");
  CHECK(run.holds_run());
  CHECK(run.state() == RunState::unfinished);
  for (const auto& [text, state] : {std::pair{R"({"ending": "interrupted"})", RunState::interrupted},
                                    {R"({"ending": "diverged"})", RunState::diverged},
                                    {R"({"ending": "patience"})", RunState::finished},
                                    {R"({"ending": "resting"})", RunState::unreadable},
                                    {"[]", RunState::unreadable}}) {
    CAPTURE(text);
    scratch.write("run/result.json", text);
    CHECK(run.state() == state);
  }
  CHECK(std::string(record::state_name(RunState::unreadable)) == "unreadable");
}

TEST_CASE("a damaged result is a sentence with the file, the place in it, both values and what to do") {
  const test::Scratch scratch;
  const RunDirectory run(scratch.path());
  CHECK(test::error_text([&] { run.read_result(); }) == Contains("holds no result.json"));
  const auto refusal = [&](const std::string& text) {
    scratch.write("result.json", text);
    return test::error_text([&] { run.read_result(); });
  };
  const auto damaged = [&](const std::string& reason) {
    return test::text(run.result().string() + " is damaged: " + reason +
                      "; copy the run's folder again, or run it again");
  };
  const std::string good = R"({"ending": "finished", "threshold": 0.25})";
  REQUIRE(refusal(good) == "no error");
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(refusal(good.substr(0, size)) == damaged("it is no JSON"));
  for (const char* text : {"nonsense", "{\"ending\": 1e999}", "{\"ending\": \"\xFF\"}"})
    CHECK(refusal(text) == damaged("it is no JSON"));
  CHECK(refusal(std::string(1000000, '[') + std::string(1000000, ']')) ==
        damaged("the whole of it is a list, but an object is wanted"));
  std::string crowd = "{";
  for (int i = 0; i < 500000; ++i)
    crowd += '"' + std::to_string(i) + "\":0,";
  CHECK(refusal(crowd) == damaged("one of its objects has more than 10000 members"));
  // Exactly so many are read; objects inside count for themselves alone.
  const auto members = [](int count, const std::string& value) {
    std::string text = R"({"ending": "finished")";
    for (int i = 1; i < count; ++i)
      text += ",\"" + std::to_string(i) + "\":" + value;
    return text + "}";
  };
  CHECK(refusal(members(10000, "0")) == "no error");
  CHECK(refusal(members(10001, "0")) == damaged("one of its objects has more than 10000 members"));
  CHECK(refusal(members(10000, "{\"a\":0}")) == "no error");
  CHECK(refusal(members(10001, "{\"a\":0}")) == damaged("one of its objects has more than 10000 members"));
  CHECK(refusal(R"({"ending": "finished", "scores": {"f1": "0.5"}})") ==
        damaged("/scores/f1 is \"0.5\", but a number is wanted"));
  CHECK(refusal(R"({"format": 3})") ==
        test::text(run.result().string() +
                   " cannot be read: /format is 3, but this version of nbs reads forms up to 2; use the version that "
                   "wrote it"));
}

TEST_CASE("runs are found at any depth, in the order of their paths, with results kept on their own") {
  const test::Scratch scratch;
  scratch.write("b/run/resolved.toml", "");
  scratch.write("b/run/inside/result.json", "{}");
  scratch.write("a/deep/run/metrics.jsonl", "");
  scratch.write("c.result.json", "{}");
  scratch.write("notes.txt", "");
  const std::vector<std::filesystem::path> expected = {scratch / "a/deep/run", scratch / "b/run",
                                                       scratch / "c.result.json"};
  CHECK(record::find_runs(scratch.path()) == expected);
  CHECK(record::find_runs(scratch / "b/run") == std::vector<std::filesystem::path>{scratch / "b/run"});
  CHECK(test::error_text([&] { record::find_runs(scratch / "none"); }) == Contains("there is no folder"));
}

TEST_CASE("result and provenance come back from the folder as they were written") {
  const test::Scratch scratch;
  const RunDirectory run(scratch.path());
  CHECK_FALSE(run.read_provenance().has_value());
  record::RunResult result;
  result.name = "a";
  result.experiment = {"d", "m", 1, 2, 3};
  result.stop_reason = record::StopReason::patience;
  run.write_result(result);
  CHECK(run.is_finished());
  CHECK(record::to_json(run.read_result()) == record::to_json(result));
  record::Provenance provenance;
  provenance.revision = "abc";
  provenance.threads = 2;
  provenance.plugins = {{"sampler", "rl", "1.0", "librl.so", "feed"}};
  run.write_provenance(provenance);
  CHECK(record::to_json(*run.read_provenance()) == record::to_json(provenance));
  scratch.write("provenance.json", R"({"plugins": [{"kind": "sampler"}, {"kind": 3}]})");
  CHECK(test::error_text([&] { run.read_provenance(); }) ==
        Contains("provenance.json is damaged: /plugins/1/kind is 3, but a text is wanted"));
}

TEST_CASE("names of files that are no UTF-8 cost no result") {
  const test::Scratch scratch;
  const RunDirectory run(scratch.path());
  record::RunResult result;
  result.explanation = "the image \xFF.png was left out";
  result.experiment = {"d", "m", 1, 2, 3};
  run.write_result(result);
  CHECK(run.read_result().explanation == "the image \xEF\xBF\xBD.png was left out");
}

TEST_CASE("a text that is no UTF-8, which no TOML file can hold, is refused before anything is made") {
  const test::Scratch scratch;
  auto pipeline = test::small_pipeline("a");
  pipeline.plugin_path = {"/plugins/a\xff"};
  for (const bool named : {false, true}) {
    const auto sentence = test::error_text([&] {
      named ? RunDirectory::use(scratch / "runs", pipeline) : RunDirectory::create(scratch / "runs", pipeline);
    });
    CHECK(sentence == doctest::Contains("a text of the pipeline is not UTF-8, so no TOML file can hold it: "));
    CHECK(sentence == doctest::Contains("/plugins/a"));
    CHECK(sentence == doctest::Contains("rename the file or folder that it names"));
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "runs"));
}

TEST_CASE("a result of which one byte has changed is refused, whichever it is; one without a checksum is not") {
  const test::Scratch scratch;
  const auto run = RunDirectory::create(scratch.path(), test::small_pipeline("a"));
  record::RunResult result;
  result.name = "a";
  result.iterations = 1234;
  result.threshold = 1.0 / 3;
  result.peak_memory_mib = 1e-300;
  run.write_result(result);
  const auto good = nbs::read_file(run.result());
  CHECK(run.is_complete());
  CHECK(*run.read_result().threshold == 1.0 / 3);
  // Each digit of a number becomes another one, so that the file stays good JSON. (Not the last digit of a number that
  // has 17 of them: it may stay the same number.)
  std::size_t tried = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (good[i] < '1' || good[i] > '8') continue;
    auto flipped = good;
    ++flipped[i];
    nbs::write_file(run.result(), flipped);
    CAPTURE(flipped);
    CHECK_FALSE(run.is_complete());
    ++tried;
  }
  CHECK(tried > 30);
  const auto at = good.find("1234");
  nbs::write_file(run.result(), std::string(good).replace(at, 4, "1235"));
  CHECK(test::error_text([&] { run.read_result(); }) ==
        Contains("is damaged: its checksum is not that of what it holds, so it was changed after it was written"));
  // Of earlier versions, or of somebody who has taken it out.
  const auto begin = good.rfind(",\n \"checksum\"");
  REQUIRE(begin != std::string::npos);
  nbs::write_file(run.result(), good.substr(0, begin) + "\n}\n");
  CHECK(run.is_complete());
}
