// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/files.h"

#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/lock.h"

#include "error_text.h"
#include "scratch.h"
#include "variable.h"

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
  write_file(file, "old");
  write_file(file, bytes);
  CHECK(read_file(file) == bytes);
  write_file(file, "");
  CHECK(read_file(file).empty());
  CHECK(test::entries_of(scratch.path()) == Names{"a.bin"});  // no temporary file stays
}

TEST_CASE("a folder that cannot be written to is named, with the reason and what to do") {
  const test::Scratch scratch;
  const auto missing = scratch / "none" / "a.txt";
  CHECK(test::error_text([&] { write_file(missing, "x"); }) ==
        test::text("writing " + missing.string() +
                   " failed: No such file or directory; choose another folder with --out, or change its permissions"));
  CHECK(test::error_text([&] { write_file("/proc/nbs.txt", "x"); }) == Contains("--out"));
  CHECK(test::error_text([&] { LineFile file(missing); }) == Contains("opening"));
  if (geteuid() != 0) {
    std::filesystem::permissions(scratch.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    CHECK(test::error_text([&] { write_file(scratch / "a.txt", "x"); }) == Contains("Permission denied"));
    std::filesystem::permissions(scratch.path(), std::filesystem::perms::owner_all);
  } else {
    MESSAGE("the part about permissions is skipped: the superuser may write anywhere");
  }
}

TEST_CASE("when a write fails part of the way, the old file stays and nothing is left over") {
  const test::Scratch scratch;
  const auto file = scratch / "a.txt";
  write_file(file, "old");
  const auto sentence = error_with_file_limit(4096, [&] { write_file(file, std::string(100000, 'x')); });
  CHECK(sentence == Contains(("writing " + file.string() + " failed: File too large").c_str()));
  CHECK(sentence == Contains("ulimit -f"));
  CHECK(read_file(file) == "old");
  CHECK(test::entries_of(scratch.path()) == Names{"a.txt"});
}

TEST_CASE("a full disk is named as such when a line is added") {
  if (!std::filesystem::exists("/dev/full")) {
    MESSAGE("skipped: there is no /dev/full");
    return;
  }
  LineFile file("/dev/full");
  CHECK(test::error_text([&] { file.append("{}"); }) ==
        "writing /dev/full failed: No space left on device; free some space");
}

TEST_CASE("lines are added behind those that are there, and are on disk at once") {
  const test::Scratch scratch;
  const auto path = scratch / "metrics.jsonl";
  {
    LineFile file(path);
    file.append("{\"a\": 1}");
    CHECK(test::lines_of(path) == Names{"{\"a\": 1}"});
    file.append("");
    CHECK(test::lines_of(path).size() == 2);
  }
  LineFile again(path);
  again.append("three");
  CHECK(test::lines_of(path) == Names{"{\"a\": 1}", "", "three"});
}

TEST_CASE("reading a file that is missing or a folder names it") {
  const test::Scratch scratch;
  CHECK(test::error_text([&] { read_file(scratch / "none"); }) ==
        test::text("the file " + (scratch / "none").string() +
                   " cannot be opened (No such file or directory); check that it exists and may be read"));
  CHECK(test::error_text([&] { read_file(scratch.path()); }) == Contains("cannot be opened"));
}

TEST_CASE("a device or pipe that is written to stays what it is") {
  const test::Scratch scratch;
  const auto pipe = scratch / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = open(pipe.c_str(), O_RDWR);  // so that opening it for writing does not wait
  REQUIRE(reader >= 0);
  write_file(pipe, "through");
  char bytes[16] = {};
  CHECK(read(reader, bytes, sizeof bytes) == 7);
  CHECK(std::string(bytes) == "through");
  close(reader);
  CHECK(std::filesystem::is_fifo(pipe));

  write_file("/dev/null", "nothing");
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK(test::error_text([&] { write_file("/dev/full", "x"); }) == Contains("No space left"));
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("a symbolic link stays one, and its target gets the bytes") {
  const test::Scratch scratch;
  const auto target = scratch.write("target", "old");
  const auto link = scratch / "link";
  std::filesystem::create_symlink(target, link);
  write_file(link, "new");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(read_file(target) == "new");
}

TEST_CASE("a name of the greatest length can be written, and a longer one is an error that leaves nothing behind") {
  const test::Scratch scratch;
  write_file(scratch / std::string(255, 'a'), "x");
  CHECK(read_file(scratch / std::string(255, 'a')) == "x");
  CHECK(test::error_text([&] { write_file(scratch / std::string(256, 'b'), "x"); }) == Contains("shorter name"));
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

TEST_CASE("what might never end is not read") {
  const test::Scratch scratch;
  REQUIRE(mkfifo((scratch / "pipe").c_str(), 0600) == 0);
  CHECK(test::error_text([&] { read_file(scratch / "pipe"); }) == Contains("pipe"));
  CHECK(test::error_text([&] { read_file("/dev/zero", "pipeline file"); }) == Contains("pipeline file /dev/zero"));
  const auto file = scratch.write("a", "12345");
  CHECK(read_file(file, "file", 5) == "12345");
  CHECK(test::error_text([&] { read_file(file, "file", 4); }) == Contains("more than 4 bytes"));
}

TEST_CASE("temporary files do not share a name, and vanish with their objects") {
  std::filesystem::path path;
  {
    const TemporaryFile one("test", "1");
    const TemporaryFile two("test", "2");
    path = one.path();
    CHECK(one.path() != two.path());
    CHECK(read_file(one.path()) == "1");
    CHECK(read_file(two.path()) == "2");
  }
  CHECK_FALSE(std::filesystem::exists(path));
  const test::Variable folder("TMPDIR", "/nowhere");
  CHECK(test::error_text([] { TemporaryFile("test", ""); }) == Contains("TMPDIR is \"/nowhere\""));
}

TEST_CASE("what a killed program has left half-written is removed, and nothing else") {
  const test::Scratch scratch;
  scratch.write(".nbs-0123456789abcdef.tmp", "half");
  const auto live = scratch.write(".nbs-0000000000000001.tmp", "being written");
  for (const char* name : {".nbs-lock", ".nbs-0123.tmp", "a.tmp", "below/.nbs-0123456789abcdef.tmp"})
    scratch.write(name, "");
  {
    const auto held = FileLock::try_take(live);
    REQUIRE(held.has_value());
    remove_unfinished_files(scratch.path());
    CHECK(test::entries_of(scratch.path()) ==
          std::vector<std::string>{".nbs-0000000000000001.tmp", ".nbs-0123.tmp", ".nbs-lock", "a.tmp", "below"});
  }
  CHECK(test::entries_of(scratch / "below").size() == 1);
  CHECK_NOTHROW(remove_unfinished_files(scratch / "nowhere"));
}

TEST_CASE("a file is cut to a length that it had, and never made longer") {
  const test::Scratch scratch;
  const auto file = scratch.write("a", "12345");
  cut_file(file, 3);
  CHECK(read_file(file) == "123");
  CHECK(file_length(file) == 3);
  CHECK(test::error_text([&] { cut_file(file, 4); }) == Contains("has 3 bytes, but 4 were written once"));
  CHECK(read_file(file) == "123");
  cut_file(scratch / "new", 0);
  CHECK(read_file(scratch / "new").empty());
  CHECK(file_length(scratch / "nowhere") == 0);
}

TEST_CASE("a file is written from pieces as from the whole") {
  const test::Scratch scratch;
  write_file(scratch / "a", {"one ", "", "two"});
  CHECK(read_file(scratch / "a") == "one two");
  LineFile lines(scratch / "a");
  lines.append("!");
  lines.sync();
  CHECK(read_file(scratch / "a") == "one two!\n");
}

TEST_CASE("a file that is written in pieces has its name when it is whole, and not before") {
  const test::Scratch scratch;
  const auto file = scratch.write("a", "old");
  {
    NewFile pieces(file, 11);
    std::thread other([&] { pieces.write_at(6, "there"); });
    pieces.write_at(0, "hello ");
    other.join();
    CHECK(read_file(file) == "old");
    CHECK(test::entries_of(scratch.path()).size() == 2);
    // A program that starts meanwhile takes it for no leftover.
    remove_unfinished_files(scratch.path());
    pieces.finish();
    CHECK(read_file(file) == "hello there");
  }
  CHECK(read_file(file) == "hello there");
  {
    NewFile given_up(file, 5);
    given_up.write_at(0, "other");
  }
  CHECK(read_file(file) == "hello there");
  CHECK(test::entries_of(scratch.path()) == std::vector<std::string>{"a"});
  CHECK(test::error_text([&] { NewFile nowhere(scratch / "no" / "b", 3); }) == Contains("No such file or directory"));
  // More than any disk has.
  CHECK(test::error_text([&] { NewFile vast(scratch / "b", std::uint64_t{1} << 62); }) == Contains("writing "));
  CHECK(test::entries_of(scratch.path()) == std::vector<std::string>{"a"});
}

TEST_CASE("pieces of a file are read, also when it is replaced meanwhile, and never more than there is") {
  const test::Scratch scratch;
  const auto file = scratch.write("a", "0123456789");
  const FileReader reader(file);
  CHECK(reader.length() == 10);
  CHECK(reader.path() == file);
  write_file(file, "another");
  char piece[4] = {};
  reader.read_at(3, piece, 4);
  CHECK(std::string(piece, 4) == "3456");
  CHECK(test::error_text([&] { reader.read_at(7, piece, 4); }) == Contains("the file ends before"));
  CHECK(test::error_text([&] { const FileReader none(scratch / "none"); }) == Contains("No such file"));
  CHECK(test::error_text([&] { const FileReader folder(scratch.path()); }) == Contains("opening "));
}

TEST_CASE("the end of a file is its last bytes, or all of it") {
  const test::Scratch folder;
  const auto file = folder / "file";
  write_file(file, "one\ntwo\n");
  const FileReader reader(file);
  CHECK(reader.end(4) == "two\n");
  CHECK(reader.end(8) == "one\ntwo\n");
  CHECK(reader.end(100) == "one\ntwo\n");
  CHECK(reader.end(0).empty());
}
