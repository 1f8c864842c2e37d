// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "nbs/abi.h"

#include "trial.h"

// Libraries that are not taken at all: each is refused in its own sentence, and those beside it are tried.

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Json;
using nbs::test::Program;
using nbs::test::text;

fs::path host_plugin(const std::string& name) {
  return fs::path(NBS_HOST_TEST_PLUGINS) / (name + ".so");
}

// A copy of "throws" with its record changed, as a build against another nbs or LibTorch has it.
template <typename Change>
fs::path rebuilt(const Program& nbs, const std::string& name, const Change& change) {
  auto bytes = nbs::read_file(host_plugin("throws"));
  const std::string magic(nbs::kAbiMagic, sizeof nbs::kAbiMagic);
  for (auto at = bytes.find(magic); at != bytes.npos; at = bytes.find(magic, at + 1)) {
    nbs::AbiRecord record;
    if (at + sizeof record > bytes.size()) break;
    std::memcpy(&record, bytes.data() + at, sizeof record);
    if (record.plugin_name != std::string("throws")) continue;
    change(record);
    std::memcpy(bytes.data() + at, &record, sizeof record);
    return nbs.folder().write(name + ".so", bytes);
  }
  throw std::runtime_error("throws.so has no record");
}

}  // namespace

TEST_CASE("libraries that cannot be taken are refused one by one, and the good one between them is tried") {
  using Record = nbs::AbiRecord;
  const Program nbs;
  const std::pair<fs::path, const char*> bad[] = {
      {host_plugin("foreign"), "it is a shared library but no plugin of nbs"},
      {host_plugin("half"), "it lacks the symbol nbs_plugin_abi or nbs_plugin_register"},
      {rebuilt(nbs, "old", [](Record& record) { record.api_major = 1, record.api_minor = 0; }),
       "it was built for plugin API 1.0, but"},
      {rebuilt(nbs, "new", [](Record& record) { record.api_minor = 99; }), "which is newer than this host's"},
      {rebuilt(nbs, "torch", [](Record& record) { std::strcpy(record.libtorch, "0.4.1"); }),
       "it was built for LibTorch 0.4.1, but this host has "},
      {host_plugin("undefined"), "nbs_test_function_that_nobody_has"},
      {host_plugin("throws"), "its registration failed: the license server is on holiday"},
      {host_plugin("throws_number"), "its registration threw something that is not a std::exception"},
      {host_plugin("empty"), "it registers no plugin"},
      {host_plugin("init_segfault"), "it crashed (SIGSEGV, signal 11) in its static initializers"},
      {host_plugin("init_exit"), "it ended the program from inside (exit) in its static initializers"},
      {host_plugin("init_throw"), "its static initializers"},
      {host_plugin("init_loop"), "it did not come to an end within 2 s in its static initializers"},
      {fs::path(NBS_BAD_PLUGINS) / "twice.so", "it holds the postprocessor \"filter\" twice"},
      {fs::path(NBS_BAD_PLUGINS) / "default_outside.so",
       "has an option \"radius\" whose default is not allowed: it must be at most 8, but is 30"},
  };
  std::vector<std::string> words = {"test-plugin", "--json", "--level", "1"};
  for (const auto& [file, sentence] : bad)
    words.push_back(file.string());
  words.insert(words.begin() + 8, NBS_BUILT_PLUGINS "/libnbs-random.so");
  const auto ended = nbs(words, "NBS_PLUGIN_SECONDS=2");
  CHECK(ended.status == 1);
  const auto report = Json::parse(ended.output);
  std::map<std::string, std::string> refusals;
  for (const auto& library : report.at("libraries"))
    refusals[library.at("file")] = library.at("refusal");
  for (const auto& [file, sentence] : bad) {
    CAPTURE(file.string());
    CHECK(text(refusals.at(file.string())) == Contains(sentence));
    CHECK(text(refusals.at(file.string())) == Contains(file.string().c_str()));
  }
  CHECK(nbs::test::plugin_of(report, "sampler", "random").at("passed") == true);
}

TEST_CASE("the report for people names the library, what was tried and what to change") {
  const Program nbs;
  const auto good = nbs({"test-plugin", "--level", "2", NBS_BUILT_PLUGINS "/libnbs-random.so"});
  CHECK(good.status == 0);
  CHECK(text(good.output) == Contains("loaded: sampler \"random\" (random 1.0.0), 0 options\n"));
  CHECK(text(good.output) == Contains("\n   1 registration  good      API "));
  CHECK(text(good.output) == Contains("\n1 of 1 plugins passed\n"));
  const auto bad = nbs({"test-plugin", "--level", "1", host_plugin("foreign").string()});
  CHECK(bad.status == 1);
  CHECK(text(bad.output) == Contains(("\nrefused: " + host_plugin("foreign").string() + ": it is a shared").c_str()));
  CHECK(text(bad.output) == Contains("0 of 0 plugins passed; 1 of 1 libraries refused\n"));
  for (const char* wrong : {"0", "11", "all"})
    CHECK(nbs({"test-plugin", "--level", wrong, NBS_BUILT_PLUGINS "/libnbs-random.so"}).status == 2);
  CHECK(nbs({"test-plugin", "none.so"}).status == 2);
}
