// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/files.h"

#include <csignal>
#include <cstring>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "error_text.h"

using namespace nbs;
using doctest::Contains;
using Names = std::vector<std::string>;

namespace {

// Runs `action` in a child that may write files of at most `bytes` bytes; returns the sentence of its error.
template <typename Action>
doctest::String error_with_file_limit(rlim_t bytes, const Action& action) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // then write() fails instead of ending the process
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::string sentence = "another exception";
    try {
      sentence = test::error_text(action).c_str();
    } catch (...) {
    }
    const auto written = write(ends[1], sentence.data(), sentence.size());
    _exit(written == static_cast<ssize_t>(sentence.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string sentence;
  char block[512];
  for (ssize_t count = 0; (count = read(ends[0], block, sizeof block)) > 0;)
    sentence.append(block, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return test::text(sentence);
}

}  // namespace

TEST_CASE("a file is written whole, replaced whole, and read back byte for byte") {
  const test::Scratch scratch;
  const auto file = scratch / "a.bin";
  std::string bytes(300000, 'x');
  bytes[7] = '\0';
  run::write_file(file, "old");
  run::write_file(file, bytes);
  CHECK(run::read_file(file) == bytes);
  run::write_file(file, "");
  CHECK(run::read_file(file).empty());
  CHECK(test::entries_of(scratch.path()) == Names{"a.bin"});  // no temporary file stays
}

TEST_CASE("a folder that cannot be written to is named, with the reason and what to do") {
  const test::Scratch scratch;
  const auto missing = scratch / "none" / "a.txt";
  CHECK(test::error_text([&] { run::write_file(missing, "x"); }) ==
        test::text("writing " + missing.string() +
                   " failed: No such file or directory; choose another folder with --out, or change its permissions"));
  CHECK(test::error_text([&] { run::write_file("/proc/nbs.txt", "x"); }) == Contains("--out"));
  CHECK(test::error_text([&] { run::LineFile file(missing); }) == Contains("opening"));
  if (geteuid() != 0) {
    std::filesystem::permissions(scratch.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    CHECK(test::error_text([&] { run::write_file(scratch / "a.txt", "x"); }) == Contains("Permission denied"));
    std::filesystem::permissions(scratch.path(), std::filesystem::perms::owner_all);
  } else {
    MESSAGE("the part about permissions is skipped: the superuser may write anywhere");
  }
}

TEST_CASE("when a write fails part of the way, the old file stays and nothing is left over") {
  const test::Scratch scratch;
  const auto file = scratch / "a.txt";
  run::write_file(file, "old");
  const auto sentence = error_with_file_limit(4096, [&] { run::write_file(file, std::string(100000, 'x')); });
  CHECK(sentence == Contains(("writing " + file.string() + " failed: File too large").c_str()));
  CHECK(sentence == Contains("ulimit -f"));
  CHECK(run::read_file(file) == "old");
  CHECK(test::entries_of(scratch.path()) == Names{"a.txt"});
}

TEST_CASE("a full disk is named as such when a line is added") {
  if (!std::filesystem::exists("/dev/full")) {
    MESSAGE("skipped: there is no /dev/full");
    return;
  }
  run::LineFile file("/dev/full");
  CHECK(test::error_text([&] { file.append("{}"); }) ==
        "writing /dev/full failed: No space left on device; free some space");
}

TEST_CASE("lines are added behind those that are there, and are on disk at once") {
  const test::Scratch scratch;
  const auto path = scratch / "metrics.jsonl";
  {
    run::LineFile file(path);
    file.append("{\"a\": 1}");
    CHECK(test::lines_of(path) == Names{"{\"a\": 1}"});
    file.append("");
    CHECK(test::lines_of(path).size() == 2);
  }
  run::LineFile again(path);
  again.append("three");
  CHECK(test::lines_of(path) == Names{"{\"a\": 1}", "", "three"});
}

TEST_CASE("reading a file that is missing or a folder names it") {
  const test::Scratch scratch;
  CHECK(test::error_text([&] { run::read_file(scratch / "none"); }) ==
        test::text("the file " + (scratch / "none").string() +
                   " cannot be opened; check that it exists and may be read"));
  CHECK(test::error_text([&] { run::read_file(scratch.path()); }) == Contains("cannot be opened"));
}
