// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "trial.h"

// Plugins that load and are bad in one way each (plugins/bad.cpp). What each is to be blamed for was written down
// before test-plugin was asked.

namespace {

using doctest::Contains;
using nbs::test::Json;
using nbs::test::plugin_of;
using nbs::test::Program;
using nbs::test::text;

const std::string kBad = std::string(NBS_BAD_PLUGINS) + "/bad.so";

struct Blame {
  const char* kind;
  const char* name;
  const char* checks;    // that fail
  const char* sentence;  // of the first of them
};

const Blame kBlames[] = {
    {"sampler", "factory", "registration", "sampler \"factory\", construction(): no memory for 3 petabytes"},
    {"sampler", "middle", "contract", "sampler \"middle\", sample(): out of cheese"},
    {"sampler", "integer", "contract", "sampler \"integer\", sample(): threw something that is not a std::exception"},
    {"sampler", "outside", "contract", "which leaves its image: y and x must be 0 to 48"},
    {"sampler", "few", "contract", "sampler \"few\", sample(): returned 4 patches, but 5 were asked for"},
    {"sampler", "loops", "contract",
     "sampler \"loops\" did not come to an end within 10 s in sampler \"loops\", sample()"},
    {"sampler", "exits", "contract",
     "sampler \"exits\" ended the program from inside (exit) in sampler \"exits\", sample()"},
    {"sampler", "aborts", "contract", "sampler \"aborts\" crashed (SIGABRT, signal 6) in sampler \"aborts\", sample()"},
    {"sampler", "segfaults", "contract",
     "sampler \"segfaults\" crashed (SIGSEGV, signal 11) in sampler \"segfaults\", sample()"},
    {"sampler", "global", "surroundings",
     "sampler \"global\", sample_all(): drew random numbers from LibTorch's global generator"},
    {"sampler", "threads", "surroundings", "changed the number of threads from 1 to 2"},
    {"sampler", "undocumented", "options", "the option step of sampler \"undocumented\" has no doc"},
    {"sampler", "closes", "surroundings", "sampler \"closes\" closed standard output, which is the whole program's"},
    {"sampler", "prints", "surroundings",
     "sampler \"prints\" printed to standard output, where scripts read what nbs prints: here I am"},
    {"sampler", "chdir", "surroundings", "changed the working directory, which is the whole program's"},
    {"sampler", "locale", "surroundings", "changed the locale, which is the whole program's"},
    {"sampler", "handler", "surroundings", "changed signal handlers, which are the whole program's"},
    {"sampler", "writes", "inputs", "sampler \"writes\" wrote into an image of the scene through a pointer"},
    {"sampler", "unseeded", "determinism",
     "two objects of sampler \"unseeded\" with the same seed gave different results in round 1"},
    {"sampler", "shared", "determinism",
     "two objects of sampler \"shared\" with the same seed gave different results in round 1"},
    {"sampler", "forgets", "saving", "an object of sampler \"forgets\" that has loaded what another one saved"},
    {"sampler", "swallows", "exceptions", "sample() swallowed the exception with which the host says"},
    {"autoencoder", "nan", "contract", "autoencoder \"nan\", pixel_loss(): returned values from "},
    {"autoencoder", "shape", "contract", "returned [1, 1, 16, 16], but [1, 16, 16] is wanted"},
    {"autoencoder", "type", "contract", "autoencoder \"type\", pixel_loss(): returned Double, but float32 is wanted"},
    {"autoencoder", "state", "replay", "autoencoder \"state\", state() is not complete"},
    {"autoencoder", "copies", "replay", "autoencoder \"copies\", state() gives copies"},
    {"autoencoder", "together", "batches",
     "autoencoder \"together\", concurrent_losses() says that several threads may"},
    {"autoencoder", "batch", "batches", "autoencoder \"batch\", pixel_loss() gives one of a batch another result"},
    {"autoencoder", "uphill", "gradient", "autoencoder \"uphill\", train_step() goes uphill"},
    {"postprocessor", "batch", "batches", "postprocessor \"batch\", apply() gives one of a batch another result"},
};

// The report of all of them, made once.
const Json& report() {
  static const Json made = [] {
    const Program nbs;
    const auto ended = nbs({"test-plugin", "--json", "--level", "9", "--seconds", "10", "--calls", "200", kBad});
    CHECK(ended.status == 1);
    return Json::parse(ended.output);
  }();
  return made;
}

}  // namespace

TEST_CASE("each bad plugin fails the check that is made for it, alone, with a sentence of its own") {
  CHECK(report().at("passed") == false);
  std::set<std::string> sentences;
  for (const auto& blame : kBlames) {
    CAPTURE(blame.name);
    const auto& plugin = plugin_of(report(), blame.kind, blame.name);
    CHECK(plugin.at("passed") == false);
    const std::string first(blame.checks);
    const auto said = nbs::test::failures_of(plugin, first.substr(0, first.find(' ')));
    CHECK(text(said) == Contains(blame.sentence));
    CHECK(nbs::test::failed_checks(plugin) == blame.checks);
    sentences.insert(said);
  }
  CHECK(sentences.size() == std::size(kBlames));
}

TEST_CASE("good plugins in the same library pass") {
  for (const char* kind : {"sampler", "autoencoder", "postprocessor"}) {
    CAPTURE(kind);
    const auto& plugin = plugin_of(report(), kind, "good");
    CHECK(nbs::test::failed_checks(plugin).empty());
    CHECK(plugin.at("passed") == true);
  }
}

TEST_CASE("a leak is told in bytes for each call") {
#ifdef __SANITIZE_ADDRESS__
  MESSAGE("skipped: the address sanitizer keeps what was freed");
#else
  const auto& leaks = plugin_of(report(), "sampler", "leaks");
  CHECK(nbs::test::failed_checks(leaks) == "memory");
  const auto said = nbs::test::failures_of(leaks, "memory");
  CHECK(text(said) == Contains("sampler \"leaks\" keeps 50"));  // 5000 and what malloc adds
  CHECK(text(said) == Contains(" more bytes with every call"));
#endif
}

TEST_CASE("what ends a process ends the trial of that plugin, and the next one is tried") {
  const auto& crashed = plugin_of(report(), "sampler", "segfaults");
  CHECK(nbs::test::failures_of(crashed, "registration").empty());
  CHECK(nbs::test::failures_of(crashed, "options").empty());
  CHECK(nbs::test::failures_of(crashed, "determinism") == "not tried");
  CHECK(nbs::test::failures_of(crashed, "speed") == "not tried");
  // The same mistake again is no second failure.
  const auto& few = plugin_of(report(), "sampler", "few");
  CHECK(nbs::test::failures_of(few, "determinism") == "not tried");
}
