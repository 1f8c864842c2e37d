// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "tiny_pipeline.h"
#include "trial.h"

// A batch in which some runs use bad plugins loses these runs and no other.

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Json;
using nbs::test::Program;
using nbs::test::text;

struct Lost {
  const char* plugin;
  const char* sentence;  // in the log of its run
};

const Lost kSamplers[] = {
    {"middle", "sampler \"middle\", sample_all(): out of cheese"},
    {"integer", "sampler \"integer\", sample_all(): threw something that is not a std::exception"},
    {"outside", "sampler \"outside\", sample_all(): returned patch 7 at "},
    {"few", "sampler \"few\", sample_all(): returned 7 patches, but 8 were asked for"},
    {"exits", "a plugin or library has ended the program from inside (exit)"},
    {"aborts", "it crashed (SIGABRT) in sampler \"aborts\", sample_all()"},
    {"segfaults", "it crashed (SIGSEGV) in sampler \"segfaults\", sample_all()"},
    {"writes", "and no plugin may write into an image"},
};
const Lost kAutoencoders[] = {
    {"shape", "autoencoder \"shape\", pixel_loss(): returned ["},
    {"type", "autoencoder \"type\", pixel_loss(): returned Double, but float32 is wanted"},
    {"state", "the autoencoder's loss maps cannot be replayed"},
    {"copies", "the autoencoder's loss maps cannot be replayed"},
    {"batch", "when the patch is alone in its batch"},
};

std::string one_of(const std::string& option, const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names)
    list += (list.empty() ? "\"" : ", \"") + name + "\"";
  return "[sweep.grid]\n\"" + option + "\" = [" + list + "]\n";
}

template <std::size_t N>
std::vector<std::string> names_of(const Lost (&all)[N]) {
  std::vector<std::string> names = {"good"};
  for (const auto& one : all)
    names.emplace_back(one.plugin);
  return names;
}

// The log of each run below a folder, by the plugin of a section; "finished" where there is a finished result.
std::map<std::string, std::string> runs_by_plugin(const fs::path& folder, const std::string& section) {
  std::map<std::string, std::string> runs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    const auto resolved = nbs::read_file(entry.path() / "resolved.toml");
    const std::string mark = "[" + section + "]\nplugin = \"";
    const auto at = resolved.find(mark) + mark.size();
    const auto name = resolved.substr(at, resolved.find('"', at) - at);
    const auto result = entry.path() / "result.json";
    const bool finished = fs::exists(result) && Json::parse(nbs::read_file(result)).at("stop_reason") == "finished";
    runs[name] = finished ? "finished" : nbs::read_file(entry.path() / "log.txt");
  }
  return runs;
}

}  // namespace

TEST_CASE("a batch loses the runs that use bad plugins, each with its sentence, and ends the others") {
  const Program nbs;
  nbs::test::TinyOptions samplers;
  samplers.top = "name = \"samplers\"";
  samplers.sampler = "plugin = \"good\"";
  nbs.folder().write("samplers.toml",
                     nbs::test::tiny_pipeline(samplers) + one_of("sampler.plugin", names_of(kSamplers)));
  auto autoencoders = nbs::test::tiny_pipeline();
  const std::string conv = "plugin = \"conv\"\nchannels = [4, 8]\nbottleneck = 4\n";
  autoencoders.replace(autoencoders.find(conv), conv.size(), "plugin = \"good\"\n");
  nbs.folder().write("autoencoders.toml", autoencoders + one_of("autoencoder.plugin", names_of(kAutoencoders)));
  // Libraries that are refused lie beside them.
  const auto folder = nbs.folder() / "plugins";
  fs::create_directories(folder);
  fs::copy_file(fs::path(NBS_BAD_PLUGINS) / "bad.so", folder / "bad.so");
  for (const char* refused : {"foreign", "init_segfault", "undefined"})
    fs::copy_file(fs::path(NBS_HOST_TEST_PLUGINS) / (std::string(refused) + ".so"),
                  folder / (std::string(refused) + ".so"));

  const auto ended = nbs({"batch", "samplers.toml", "--plugin-path", "plugins", "--out", "samplers"});
  CHECK(ended.status == 1);
  CHECK(text(ended.output) == Contains("[9/9]"));
  CHECK(text(ended.errors) == Contains("init_segfault.so: it crashed (SIGSEGV, signal 11)"));
  auto runs = runs_by_plugin(nbs.folder() / "samplers", "sampler");
  CHECK(runs.at("good") == "finished");
  for (const auto& lost : kSamplers) {
    CAPTURE(lost.plugin);
    CHECK(text(runs.at(lost.plugin)) == Contains(lost.sentence));
  }

  const auto others = nbs({"batch", "autoencoders.toml", "--plugin-path", "plugins", "--out", "autoencoders"});
  CHECK(others.status == 1);
  CHECK(text(others.output) == Contains("[6/6]"));
  runs = runs_by_plugin(nbs.folder() / "autoencoders", "autoencoder");
  CHECK(runs.at("good") == "finished");
  for (const auto& lost : kAutoencoders) {
    CAPTURE(lost.plugin);
    CHECK(text(runs.at(lost.plugin)) == Contains(lost.sentence));
  }
}

TEST_CASE("a plugin that cannot be made is refused before anything starts; one that never ends is ended") {
  const Program nbs;
  nbs::test::TinyOptions tiny;
  tiny.sampler = "plugin = \"factory\"";
  nbs.folder().write("factory.toml", nbs::test::tiny_pipeline(tiny));
  const auto refused = nbs({"batch", "factory.toml", "--plugin-path", NBS_BAD_PLUGINS, "--out", "runs"});
  CHECK(refused.status == 2);
  CHECK(text(refused.errors) == Contains("sampler \"factory\", construction(): no memory for 3 petabytes"));
  CHECK_FALSE(fs::exists(nbs.folder() / "runs"));

  tiny.sampler = "plugin = \"loops\"";
  nbs.folder().write("loops.toml", nbs::test::tiny_pipeline(tiny));
  tiny.sampler = "plugin = \"good\"";
  nbs.folder().write("good.toml", nbs::test::tiny_pipeline(tiny));
  const auto ended =
      nbs({"batch", "loops.toml", "good.toml", "--plugin-path", NBS_BAD_PLUGINS, "--out", "runs", "--timeout", "0.5"},
          "NBS_GRACE_SECONDS=1");
  CHECK(ended.status == 1);
  const auto runs = runs_by_plugin(nbs.folder() / "runs", "sampler");
  CHECK(runs.at("good") == "finished");
  CHECK(runs.at("loops") != "finished");
}

TEST_CASE("a plugin that draws from LibTorch's global generator is named in the run's log") {
  const Program nbs;
  nbs::test::TinyOptions tiny;
  tiny.sampler = "plugin = \"global\"";
  nbs.folder().write("a.toml", nbs::test::tiny_pipeline(tiny));
  const auto ended = nbs({"run", "a.toml", "--plugin-path", NBS_BAD_PLUGINS, "--run-dir", "run", "--progress", "none"});
  CHECK(ended.status == 0);
  CHECK(text(ended.errors) ==
        Contains("sampler \"global\", sample_all(): drew random numbers from LibTorch's global generator"));
}
