// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/stat.h>

#include "nbs/host/abi_check.h"
#include "nbs/host/apart.h"
#include "nbs/host/crash.h"
#include "nbs/host/registry.h"

#include "error_text.h"
#include "scratch.h"
#include "test_plugins.h"
#include "torch_test.h"
#include "variable.h"

using doctest::Contains;
using nbs::test::changed_library;
using nbs::test::registry;
using nbs::test::test_plugin;
using nbs::test::text;
namespace fs = std::filesystem;

namespace {

// What the library is refused with, after its name; it must be refused under that name and hold nothing.
std::string refusal_of(const fs::path& file) {
  auto& host = registry();
  const auto plugins = host.catalog().plugins.size();
  const auto sentence = host.load(file);
  const std::string start = file.string() + ": ";
  REQUIRE(sentence.substr(0, start.size()) == start);
  REQUIRE_FALSE(host.catalog().refusals.empty());
  CHECK(host.catalog().refusals.back().file == file.string());
  CHECK(host.catalog().refusals.back().reason == sentence);
  CHECK(host.catalog().plugins.size() == plugins);
  return sentence.substr(start.size());
}

}  // namespace

TEST_CASE("what is called like a library but is no regular file is refused without being opened") {
  const nbs::test::Scratch scratch;
  // Opening this one would wait until somebody writes to it.
  REQUIRE(mkfifo((scratch / "pipe.so").c_str(), 0600) == 0);
  CHECK(refusal_of(scratch / "pipe.so") == "it is a pipe, not a file; a library of plugins is a regular file");
  fs::create_directory(scratch / "folder.so");
  CHECK(refusal_of(scratch / "folder.so") == "it is a folder, not a file; a library of plugins is a regular file");
  fs::create_symlink("/dev/zero", scratch / "device.so");
  CHECK(refusal_of(scratch / "device.so") == "it is a device, not a file; a library of plugins is a regular file");
  fs::create_symlink("nothing", scratch / "link.so");
  CHECK(refusal_of(scratch / "link.so") == "it does not exist, or is a link to nothing");
}

TEST_CASE("what is no shared library is refused with the linker's own words") {
  const nbs::test::Scratch scratch;
  const auto words = refusal_of(scratch.write("words.so", "these are words, not code\n"));
  CHECK(text(words) == Contains("it cannot be loaded: "));
  CHECK(text(words) == Contains("words.so: file too short"));
  const auto noise = refusal_of(scratch.write("noise.so", std::string(5000, 'x')));
  CHECK(text(noise) == Contains("invalid ELF header"));
  CHECK(refusal_of(scratch / "missing.so") == "it does not exist, or is a link to nothing");
}

TEST_CASE("a plugin that is cut short anywhere is refused, where the linker would end the process") {
  const nbs::test::Scratch scratch;
  const auto size = fs::file_size(test_plugin("manners"));
  for (const auto part : {size / 8, size / 2, size * 7 / 8}) {
    CAPTURE(part);
    const auto file = scratch / ("cut" + std::to_string(part) + ".so");
    fs::copy_file(test_plugin("manners"), file);
    fs::resize_file(file, part);
    const auto sentence = refusal_of(file);
    CHECK(text(sentence) == Contains(("it is cut short: it has " + std::to_string(part) + " bytes, but ").c_str()));
  }
  for (const auto part : {std::uintmax_t{0}, std::uintmax_t{20}}) {
    const auto file = scratch / ("stub" + std::to_string(part) + ".so");
    fs::copy_file(test_plugin("manners"), file);
    fs::resize_file(file, part);
    CHECK(text(refusal_of(file)) == Contains("it cannot be loaded: "));
  }
}

TEST_CASE("an undefined symbol is found when the library is loaded, and the linker's text names it") {
  const auto sentence = refusal_of(test_plugin("undefined"));
  CHECK(text(sentence) == Contains("it cannot be loaded: "));
  CHECK(text(sentence) == Contains("undefined symbol: nbs_test_function_that_nobody_has"));
}

TEST_CASE("a library that is no plugin is told from a broken one") {
  const char* const sentence =
      "it is a shared library but no plugin of nbs: it lacks the symbol nbs_plugin_abi or nbs_plugin_register; use "
      "NBS_PLUGIN once in it, or keep it elsewhere";
  CHECK(refusal_of(test_plugin("foreign")) == sentence);
  CHECK(refusal_of(test_plugin("half")) == sentence);
}

TEST_CASE("a registration that fails, or registers nothing, is refused") {
  CHECK(refusal_of(test_plugin("throws")) == "its registration failed: the license server is on holiday");
  CHECK(refusal_of(test_plugin("throws_number")) == "its registration threw something that is not a std::exception");
  CHECK(refusal_of(test_plugin("empty")) == "it registers no plugin; call registrar.add in its NBS_PLUGIN body");
}

TEST_CASE(
    "a library that crashes, ends the program or never answers before it can be asked anything costs itself alone") {
  const auto said = [](const char* how) { return refusal_of(test_plugin(std::string("init_") + how)); };
  const std::string where = " in its static initializers";
  const std::string when = ", when a process of its own was to find out what it holds; mend or remove it";
  CHECK(said("segfault") == "it crashed (SIGSEGV, signal 11)" + where + when);
  CHECK(said("abort") == "it crashed (SIGABRT, signal 6)" + where + when);
  CHECK(said("exit") == "it ended the program from inside (exit)" + where + when);
  CHECK(said("quick_exit") == "it ended the program from inside (exit)" + where + when);
  CHECK(said("_exit") == "it ended the program from inside (status 0)" + where + when);
  {
    const nbs::test::Variable seconds("NBS_PLUGIN_SECONDS", "2");
    CHECK(said("loop") == "it did not come to an end within 2 s" + where + "; NBS_PLUGIN_SECONDS gives it more" + when);
  }
  // No exception passes through a dlopen() that takes the place of the C library's, which the sanitizer and the MPI of
  // Debian 13's LibTorch have: it ends the program instead.
  const auto thrown = said("throw");
  if (thrown != "it crashed (SIGABRT, signal 6)" + where + when) {
    CHECK(thrown == "it cannot be loaded: one of its static initializers threw something that is not a std::exception");
  }
  CHECK(text(said("close")) == Contains("it ended the program from inside (status 71)"));
  // The answer does not go through standard output.
  CHECK(said("print") == "it registers no plugin; call registrar.add in its NBS_PLUGIN body");
  auto& host = registry();
  for (const char* how : {"segfault", "exit", "abort"})
    host.load(test_plugin(std::string("init_") + how));
  CHECK(host.load(test_plugin("manners")).empty());
  CHECK(host.catalog().refusals.size() == 3);
  CHECK(host.catalog().plugins.size() == 4);
}

TEST_CASE("the time that a library has is a whole number of seconds") {
  for (const char* wrong : {"0", "2.5", "soon", "3601"}) {
    const nbs::test::Variable seconds("NBS_PLUGIN_SECONDS", wrong);
    CHECK(nbs::test::error_text([] { nbs::host::plugin_seconds(); }) ==
          Contains("must be a whole number from 1 to 3600"));
  }
  const nbs::test::Variable seconds("NBS_PLUGIN_SECONDS", "");
  CHECK(nbs::host::plugin_seconds() == 20);
}

TEST_CASE("work apart: each piece gives its answer or what ended it, and the next goes on") {
  const auto results = nbs::host::run_apart(5,
                                            [](std::size_t i) {
                                              const nbs::host::CallNote note("sampler \"x\"", "sample");
                                              if (i == 1) std::raise(SIGSEGV);
                                              if (i == 3) std::exit(0);
                                              return "answer " + std::to_string(i);
                                            },
                                            {30});
  REQUIRE(results.size() == 5);
  CHECK(results[0].answer == "answer 0");
  CHECK(results[1].failure == "crashed (SIGSEGV, signal 11) in sampler \"x\", sample()");
  CHECK(results[2].answer == "answer 2");
  CHECK(results[3].failure == "ended the program from inside (exit) in sampler \"x\", sample()");
  CHECK(results[4].answer == "answer 4");
  CHECK(results[4].failure.empty());
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("work apart: memory beyond the limit is refused, and less is not") {
  const auto results = nbs::host::run_apart(2,
                                            [](std::size_t i) {
                                              try {
                                                const std::vector<char> block((i == 0 ? 256 : 16) << 20, 'x');
                                                return std::string("had ") + block.back();
                                              } catch (const std::bad_alloc&) {
                                                return std::string("refused");
                                              }
                                            },
                                            {30, "NBS_PLUGIN_SECONDS", 100});
  CHECK(results[0].answer == "refused");
  CHECK(results[1].answer == "had x");
}
#endif

TEST_CASE("a library built for another interface is refused before any of its code is called") {
  const nbs::test::Scratch scratch;
  // "throws" shows that registration was not called: its own sentence would come instead.
  const auto refusal = [&](const auto& change) { return refusal_of(changed_library(scratch, "throws", change)); };
  using Record = nbs::AbiRecord;
  CHECK(refusal([](Record& r) { r.magic[0] = 'N'; }) ==
        "its record does not start with the mark of nbs; it is not a plugin of nbs, or is damaged");
  const auto version = [](std::uint32_t major, std::uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
  };
  const auto ours = version(nbs::kApiMajor, nbs::kApiMinor);
  const auto with_minor = [&](std::uint32_t major) { return version(major, nbs::kApiMinor); };
  const std::string advice = "; build it again against this version";
  CHECK(refusal([](Record& r) { r.api_major = nbs::kApiMajor + 1; }) ==
        "it was built for plugin API " + with_minor(nbs::kApiMajor + 1) + ", but this host has " + ours + advice);
  CHECK(refusal([](Record& r) { r.api_major = 0; }) ==
        "it was built for plugin API " + with_minor(0) + ", but this host has " + ours + advice);
  CHECK(refusal([](Record& r) { r.api_minor = nbs::kApiMinor + 1; }) ==
        "it was built for plugin API " + version(nbs::kApiMajor, nbs::kApiMinor + 1) +
            ", which is newer than this host's " + ours + "; update nbs, or build it again against this version");
  CHECK(refusal([](Record& r) { r.struct_size = 8; }) == "its record has 8 bytes, but this host's has " +
                                                             std::to_string(sizeof(Record)) +
                                                             "; build it again against this version");
  CHECK(refusal([](Record& r) { std::strcpy(r.libtorch, "0.4.1"); }) ==
        "it was built for LibTorch 0.4.1, but this host has " TORCH_VERSION "; build it again against the host's");
  const bool cuda = nbs::make_abi_record("", "").cuda != 0;
  CHECK(refusal([](Record& r) { r.cuda = 1 - r.cuda; }) ==
        std::string("it was built for LibTorch ") + (cuda ? "without" : "with") + " CUDA, but this host's is " +
            (cuda ? "with" : "without") + "; build it again against the host's");
  CHECK(refusal([](Record& r) { r.cxx11_abi = 1 - r.cxx11_abi; }) ==
        "it was built with _GLIBCXX_USE_CXX11_ABI=" + std::to_string(1 - _GLIBCXX_USE_CXX11_ABI) +
            ", but this host with " + std::to_string(_GLIBCXX_USE_CXX11_ABI) +
            "; build it again with the host's setting");
  // A text without an end is read no further than its field.
  CHECK(text(refusal([](Record& r) { std::memset(r.libtorch, '1', sizeof r.libtorch); })) ==
        Contains("LibTorch 11111111111111111111111111111111, but"));
  // Unchanged, the record is accepted.
  CHECK(refusal([](Record&) {}) == "its registration failed: the license server is on holiday");
}

TEST_CASE("an older minor version is accepted; compiler, build type and C++ standard only warn") {
  auto host = nbs::make_abi_record("nbs", "host");
  host.api_minor = 3;
  auto plugin = nbs::make_abi_record("p", "1");
  std::vector<std::string> warnings;
  CHECK_FALSE(nbs::host::refuse_abi(plugin, host, warnings));
  CHECK(warnings.empty());
  std::strcpy(plugin.compiler, "gcc 4.1");
  std::strcpy(plugin.build_type, "debug");
  std::strcpy(host.build_type, "release");
  plugin.cpp_standard = 202002;
  CHECK_FALSE(nbs::host::refuse_abi(plugin, host, warnings));
  CHECK(warnings == std::vector<std::string>{
                        std::string("it was built with the compiler gcc 4.1, this host with ") + host.compiler,
                        "it was built with the build type debug, this host with release",
                        "it was built with the C++ standard 202002, this host with " + std::to_string(__cplusplus)});
}
