// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/print.h"

#include <cstdio>
#include <functional>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/files.h"

#include "scratch.h"

using namespace nbs;

namespace {

struct Printed {
  int status = 0;
  std::string errors;
};

// Runs `action` in a child with standard output on `output` ("" for closed, "|" for a pipe that nobody reads) and
// standard error in a file, or as `errors` says in the same way.
Printed printed(const std::string& output, const std::function<bool()>& action, const std::string& errors = "file") {
  const test::Scratch scratch;
  const auto file = scratch / "errors";
  std::fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto redirect = [&](const std::string& where, int descriptor) {
      close(descriptor);
      if (where.empty()) return;
      int ends[2] = {-1, -1};
      if (where == "|" && pipe(ends) == 0) close(ends[0]);
      const int opened = where == "|" ? ends[1] : open(where.c_str(), O_WRONLY | O_CREAT, 0600);
      if (opened != descriptor) {
        dup2(opened, descriptor);
        close(opened);
      }
    };
    redirect(errors == "file" ? file.string() : errors, STDERR_FILENO);
    redirect(output, STDOUT_FILENO);
    prepare_streams();
    bool good = false;
    try {
      good = action();
    } catch (...) {
      _exit(9);
    }
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const bool kept = std::filesystem::exists(file);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), kept ? read_file(file) : ""};
}

bool print_little() {
  put("little\n");
  return finish_output();
}

bool print_much() {
  for (int i = 0; i < 10000; ++i)
    put("a line that is not so short\n");
  put_now("the end\n");
  return finish_output();
}

}  // namespace

TEST_CASE("what arrives is no failure") {
  const test::Scratch scratch;
  const auto file = (scratch / "out").string();
  const auto ended = printed(file, print_much);
  CHECK(ended.status == 0);
  CHECK(ended.errors.empty());
  CHECK(read_file(file).size() == 10000 * 28 + 8);
}

TEST_CASE("a full or closed standard output is said once, with the reason, and is a failure") {
  for (const auto& action : {print_little, print_much}) {
    auto ended = printed("/dev/full", action);
    CHECK(ended.status == 1);
    CHECK(ended.errors ==
          "nbs: standard output could not be written: No space left on device; what was printed there is not "
          "complete\n");
    ended = printed("", action);
    CHECK(ended.status == 1);
    CHECK(ended.errors ==
          "nbs: standard output could not be written: Bad file descriptor; what was printed there is not complete\n");
  }
}

TEST_CASE("what was printed by other means counts too") {
  const auto ended = printed("/dev/full", [] {
    std::fputs("other", stdout);
    return finish_output();
  });
  CHECK(ended.status == 1);
  CHECK(ended.errors.find("No space left on device") != std::string::npos);
}

TEST_CASE("what was printed by other means and lost at once counts too, though nothing is left to write") {
  const auto ended = printed("/dev/full", [] {
    std::setvbuf(stdout, nullptr, _IONBF, 0);
    std::fputs("other", stdout);
    return finish_output();
  });
  CHECK(ended.status == 1);
  CHECK(ended.errors.find("standard output could not be written") != std::string::npos);
}

TEST_CASE("a reader that has gone is no failure, and no signal ends the program") {
  for (const auto& action : {print_little, print_much}) {
    const auto ended = printed("|", action);
    CHECK(ended.status == 0);
    CHECK(ended.errors.empty());
  }
}

TEST_CASE("a message that cannot be written is lost, and nothing else") {
  const test::Scratch scratch;
  for (const char* errors : {"/dev/full", "", "|"}) {
    CAPTURE(errors);
    const auto file = (scratch / "out").string();
    const auto ended = printed(
        file,
        [] {
          for (int i = 0; i < 1000; ++i)
            say("a message");
          return print_little();
        },
        errors);
    CHECK(ended.status == 0);
    CHECK(read_file(file) == "little\n");
  }
}

TEST_CASE("files do not get the number of a closed stream, into which messages would go") {
  const test::Scratch scratch;
  const auto file = scratch / "data";
  const auto ended = printed(
      "",
      [&] {
        const int opened = open(file.c_str(), O_WRONLY | O_CREAT, 0600);
        say("a message");
        put_now("output");
        return opened > STDERR_FILENO;
      },
      "");
  CHECK(ended.status == 0);
  CHECK(read_file(file).empty());
}
