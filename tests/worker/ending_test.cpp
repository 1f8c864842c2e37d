// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "nbs/base/files.h"

#include "background.h"
#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

// How a worker ends when something does not go well: signals, plugins that end it, memory, pictures.

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Background;
using nbs::test::text;
using Json = nlohmann::json;

constexpr std::int64_t kShort = 4;
constexpr std::int64_t kEndless = 1000000;

// With the plugin that ends the program at hand.
std::string tiny(std::int64_t iterations, const std::string& sampler = "plugin = \"random\"",
                 const std::string& data = "count = 6") {
  nbs::test::TinyOptions tiny;
  tiny.top += "\nplugin_path = [\"" NBS_TEST_PLUGINS "\"]";
  tiny.data = data;
  tiny.sampler = sampler;
  tiny.train = "iterations = " + std::to_string(iterations) + "\npatches = 8\nreinit_every = 0";
  return nbs::test::tiny_pipeline(tiny);
}

// Six generated images on disk, and the lines of [data] that name them.
struct Set {
  nbs::test::Program worker;
  fs::path folder = worker.folder() / "set";

  Set() {
    worker.folder().write("make.toml", tiny(kShort));
    REQUIRE(worker({"data", "make.toml", "--export", "set", "--layout", "folder"}).status == 0);
  }
  std::string data() const { return "format = \"folder\"\nroot = \"" + folder.string() + "\""; }
};

// A run that goes on beside the test, in a folder of its own.
struct Run {
  nbs::test::Scratch scratch;
  fs::path folder = scratch / "run";
  fs::path file;
  Background worker;

  explicit Run(const std::string& pipeline)
      : file(scratch.write("run/resolved.toml", pipeline)),
        worker({NBS_PROGRAM, "run", file.string(), "--out", folder.string(), "--progress", "none"}, scratch.path(),
               {{"OMP_NUM_THREADS", "1"}, {"NBS_GRACE_SECONDS", "1"}, {"NBS_PLUGIN_PATH", ""}}) {}
  bool has(const char* name) const { return fs::exists(folder / name); }
  Json result() const { return Json::parse(nbs::read_file(folder / "result.json")); }
};

bool trains(const Run& run) {
  return nbs::test::wait_until([&] { return nbs::test::lines_of(run.folder / "metrics.jsonl").size() > 4; });
}

// Waits until the plugin sleeps in the middle of an iteration: the process waits, and takes no time of a processor.
bool sleeps(const Run& run) {
  const auto state_and_time = [&] {
    const auto stat = nbs::read_file("/proc/" + std::to_string(run.worker.process()) + "/stat");
    std::istringstream fields(stat.substr(stat.find(") ") + 2));
    std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
    return words.at(0) + " " + words.at(11) + " " + words.at(12);  // state, utime, stime
  };
  return nbs::test::wait_until([&] {
    if (!run.has("metrics.jsonl")) return false;
    const auto before = state_and_time();
    usleep(200000);
    return before[0] == 'S' && state_and_time() == before;
  });
}

// From another process, as the keyboard's: what the parent sends is taken for the same press, handed on.
void press_interrupt(const Run& run) {
  REQUIRE(std::system(("kill -INT " + std::to_string(run.worker.process())).c_str()) == 0);
}

}  // namespace

TEST_CASE("told to stop, a run scores what it has learned") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    Run run(tiny(kEndless));
    REQUIRE(trains(run));
    run.worker.send(signal);
    usleep(20000);
    run.worker.send(signal);  // as timeout(1) does
    CHECK(run.worker.wait() == 130);
    REQUIRE(run.has("result.json"));
    CHECK(run.result().at("stop_reason") == "interrupted");
    CHECK(run.result().at("scores").is_object());
  }
}

TEST_CASE("the second interrupt ends a run at once, however long its iteration takes") {
  Run run(tiny(kShort, "plugin = \"ends\"\nhow = \"sleep\""));
  REQUIRE(sleeps(run));
  press_interrupt(run);
  usleep(300000);
  CHECK(nbs::test::is_running(run.worker.process()));
  press_interrupt(run);
  CHECK(run.worker.wait() == 130);
  CHECK(text(run.worker.errors()) == Contains("interrupted twice, so the run was ended at once\n"));
  CHECK_FALSE(run.has("result.json"));
}

TEST_CASE("after SIGTERM a run ends within its grace period, also when its iteration does not") {
  Run run(tiny(kShort, "plugin = \"ends\"\nhow = \"sleep\""));
  REQUIRE(sleeps(run));
  run.worker.send(SIGTERM);
  CHECK(run.worker.wait() == 130);
  CHECK(text(run.worker.errors()) == Contains("the run was told to stop, and was ended as it had not within 1 s\n"));
  CHECK_FALSE(run.has("result.json"));
}

TEST_CASE("a plugin that ends the program has not ended the run well") {
  for (const char* how : {"exit", "quick_exit"}) {
    CAPTURE(how);
    Run run(tiny(kShort, "plugin = \"ends\"\nhow = \"" + std::string(how) + "\""));
    CHECK(run.worker.wait() == 70);
    CHECK(text(run.worker.errors()) == Contains("a plugin or library has ended the program from inside (exit), so "));
    CHECK(text(run.worker.errors()) == Contains("; it was in sampler \"ends\", sample_all()\n"));
    CHECK_FALSE(run.has("result.json"));
  }
}

TEST_CASE("a crash names the signal, the plugin and the method that it was in, and ends the worker by that signal") {
  for (const auto& [how, signal, name] : {std::tuple<const char*, int, const char*>{"crash", SIGSEGV, "SIGSEGV"},
                                          {"crash in a thread", SIGSEGV, "SIGSEGV"},
                                          {"abort", SIGABRT, "SIGABRT"}}) {
#ifdef __SANITIZE_ADDRESS__
    if (signal == SIGSEGV) continue;  // the sanitizer has a handler of its own, which says more
#endif
    CAPTURE(how);
    Run run(tiny(kShort, "plugin = \"ends\"\nhow = \"" + std::string(how) + "\""));
    CHECK(run.worker.wait() == 128 + signal);
    CHECK(text(run.worker.errors()) ==
          Contains(("it crashed (" + std::string(name) + ") in sampler \"ends\", sample_all()\n").c_str()));
    CHECK_FALSE(run.has("result.json"));
  }
}

TEST_CASE("a plugin that writes into an image through a plain pointer costs the run, which says so") {
  Run run(tiny(kShort, "plugin = \"ends\"\nhow = \"paint\""));
  CHECK(run.worker.wait() == 1);
  CHECK(text(run.worker.errors()) ==
        Contains("the images or masks of the data set have changed in memory during training: a plugin has written"));
  CHECK_FALSE(run.has("result.json"));
}

TEST_CASE("plugins that draw from LibTorch's global generator are repeatable all the same") {
  const auto losses = [](int seed) {
    auto pipeline = tiny(kShort, "plugin = \"ends\"\nhow = \"global\"");
    // One seed for the data, as they are generated.
    Run run("seed = " + std::to_string(seed) + "\n" + pipeline);
    REQUIRE(run.worker.wait() == 0);
    return nbs::read_file(run.folder / "metrics.jsonl");
  };
  const auto once = losses(3);
  CHECK(losses(3) == once);
  CHECK(losses(4) != once);
}

namespace {

// What `nbs check` learns of pipelines with these samplers.
Json facts_of(const nbs::test::Program& worker, const std::vector<std::string>& samplers,
              const std::string& before = "") {
  auto texts = Json::array();
  for (const auto& sampler : samplers)
    texts.push_back(tiny(kShort, sampler));
  worker.folder().write("texts.json", texts.dump());
  const auto ended = worker({"components", "texts.json"}, before);
  INFO(ended.errors);
  REQUIRE(ended.status == 0);
  return Json::parse(ended.output);
}

}  // namespace

TEST_CASE("a component that crashes, ends the program or never comes to an end when made costs its pipeline alone") {
  const nbs::test::Program worker;
  const auto facts =
      facts_of(worker,
               {"plugin = \"random\"", "plugin = \"ends\"\nhow = \"crash when made\"",
                "plugin = \"ends\"\nhow = \"exit when made\"", "plugin = \"ends\"\nhow = \"loop when made\"",
                "plugin = \"ends\"\nhow = \"contradicts\"", "plugin = \"ends\""},
               "NBS_PLUGIN_SECONDS=4");
  REQUIRE(facts.size() == 6);
  CHECK(facts[0].at("refusals").empty());
  CHECK(facts[0].at("needs_profile") == true);
  CHECK(facts[5].at("refusals").empty());
  const auto reason = [&](std::size_t i) {
    REQUIRE(facts[i].at("refusals").size() == 1);
    CHECK(facts[i].at("refusals")[0].at("section") == "sampler");
    return facts[i].at("refusals")[0].at("reason").get<std::string>();
  };
  const std::string where = " in sampler \"ends\", construction()";
  const std::string when = ", when a process of its own made it";
  CHECK(reason(1) == "the sampler \"ends\" crashed (SIGSEGV, signal 11)" + where + when);
  CHECK(reason(2) == "the sampler \"ends\" ended the program from inside (exit)" + where + when);
  CHECK(reason(3) == "the sampler \"ends\" did not come to an end within 20 s" + where +
                         "; NBS_PLUGIN_SECONDS gives it more" + when);
  CHECK(reason(4) == "sampler \"ends\", check(): it needs patches of 8 pixels, not of 16");
}

namespace {

// Lines of the worker itself; the address sanitizer warns in one of its own when it refuses memory.
std::int64_t own_lines(const std::string& errors) {
  std::istringstream stream(errors);
  std::int64_t count = 0;
  for (std::string line; std::getline(stream, line);)
    count += line.rfind("==", 0) == 0 && line.find("AddressSanitizer") != std::string::npos ? 0 : 1;
  return count;
}

}  // namespace

TEST_CASE("memory that runs out is one sentence that says what to do, whoever notices it") {
  for (const char* how : {"bad_alloc", "tensor"}) {
    CAPTURE(how);
    Run run(tiny(kShort, "plugin = \"ends\"\nhow = \"" + std::string(how) + "\""));
    CHECK(run.worker.wait() == 1);
    const auto errors = run.worker.errors();
    CHECK(text(errors) == Contains("there is not enough memory"));
    CHECK(text(errors) == Contains("lower data.image_size"));
    CHECK(own_lines(errors) == 1);
    if (std::string(how) == "tensor") CHECK(text(errors) == Contains("(131072.0 GiB more were asked for)"));
  }
}

TEST_CASE("pictures that cannot be written cost neither scores nor other pictures; the run says which and fails") {
  const Set set;
  // One name is as long as a file's name may be: there is no room for .mask.png behind it. Whether that image is
  // labeled is the split's choice, so all but the labeled ones get such names.
  for (int i = 0; i < 6; ++i) {
    const std::string name = "00" + std::to_string(i);
    const auto longer = std::string(250, static_cast<char>('a' + i));
    if (i < 3) continue;
    fs::rename(set.folder / "images" / (name + ".png"), set.folder / "images" / (longer + ".png"));
    fs::rename(set.folder / "masks" / (name + ".png"), set.folder / "masks" / (longer + ".png"));
  }
  Run run(tiny(kShort, "plugin = \"random\"", set.data()));
  CHECK(run.worker.wait() == 1);
  REQUIRE(run.has("result.json"));
  const auto result = run.result();
  CHECK(result.at("stop_reason") == "finished");
  CHECK(result.at("scores").at("f1").is_number());
  std::size_t written = 0;
  for (const char* folder : {"predictions", "labeled"}) {
    for (const auto& name : nbs::test::entries_of(run.folder / folder))
      written += name.rfind("00", 0) == 0 ? 1 : 0;
  }
  const auto& missing = result.at("missing_pictures");
  CHECK(written > 0);
  // Five of each of the six images, labeled or not: all have a mask.
  CHECK(missing.at("count") == 30 - written);
  CHECK(text(missing.at("reasons").at(0)) == Contains("File name too long"));
  CHECK(text(run.worker.errors()) == Contains(missing.at("reasons").at(0).get<std::string>().c_str()));
}

TEST_CASE("with all pictures written, the result says nothing of missing ones") {
  Run run(tiny(kShort));
  CHECK(run.worker.wait() == 0);
  CHECK_FALSE(run.result().contains("missing_pictures"));
  CHECK(nbs::test::entries_of(run.folder / "predictions").size() == 20);
}

TEST_CASE("images whose names are not UTF-8 are named and refused, as results and pages could not name them") {
  const Set set;
  for (const char* kind : {"images", "masks"}) {
    for (int i = 0; i < 6; ++i)
      fs::rename(set.folder / kind / ("00" + std::to_string(i) + ".png"),
                 set.folder / kind / ("\xff" + std::to_string(i) + ".png"));
  }
  Run run(tiny(kShort, "plugin = \"random\"", set.data()));
  CHECK(run.worker.wait() == 1);
  CHECK(text(run.worker.errors()) == Contains("is not UTF-8; rename it"));
  CHECK_FALSE(run.has("result.json"));
}

TEST_CASE("messages that nobody can receive cost nothing") {
  const nbs::test::Program worker;
  const auto& scratch = worker.folder();
  scratch.write("run/resolved.toml", tiny(kShort));
  // Standard error is full while the run trains, and closed while images are masked.
  CHECK(worker.with_streams({"run", "run/resolved.toml", "--out", "run", "--progress", "lines"}, "2> /dev/full") == 0);
  CHECK(fs::exists(scratch / "run/result.json"));
  scratch.write("broken.png", "no image");
  cv::imwrite((scratch / "image.png").string(), cv::Mat(40, 40, CV_8UC3, cv::Scalar(90, 90, 90)));
  for (const char* errors : {"2> /dev/full", "2>&-"}) {
    CAPTURE(errors);
    const auto out = std::string("masks") + errors[3];
    CHECK(worker.with_streams({"predict", "--out", out, "--", "run", "broken.png", "image.png"}, errors) == 1);
    CHECK(fs::exists(scratch / out / "image.mask.png"));
  }
}
