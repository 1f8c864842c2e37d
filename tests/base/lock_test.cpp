// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/lock.h"

#include <csignal>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error_text.h"
#include "scratch.h"

using namespace nbs;

TEST_CASE("a lock is held by one, and free again when he lets go") {
  const test::Scratch scratch;
  const auto file = scratch / "lock";
  {
    auto held = FileLock::try_take(file);
    REQUIRE(held.has_value());
    CHECK_FALSE(FileLock::try_take(file).has_value());
    CHECK(FileLock::is_held(file));
    auto moved = std::move(*held);
    held.reset();
    CHECK_FALSE(FileLock::try_take(file).has_value());
  }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_FALSE(FileLock::is_held(file));
  CHECK_FALSE(std::filesystem::exists(file));  // looking makes nothing
  scratch.write("lock", "");
  CHECK_FALSE(FileLock::is_held(file));
  CHECK(FileLock::try_take(file).has_value());
}

TEST_CASE("a lock ends with the last process that has it, however that ends, and leaves no stale one") {
  const test::Scratch scratch;
  const auto file = scratch / "lock";
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const auto lock = FileLock::try_take(file);
    // A child of its own, as a worker is, which has inherited the lock.
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    if (write(ends[1], &child, sizeof child) != sizeof child) _exit(1);
    pause();
    _exit(0);
  }
  pid_t child = 0;
  REQUIRE(read(ends[0], &child, sizeof child) == sizeof child);
  CHECK_FALSE(FileLock::try_take(file).has_value());
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  CHECK_FALSE(FileLock::try_take(file).has_value());
  kill(child, SIGKILL);
  bool taken = false;
  for (int i = 0; i < 1000 && !taken; ++i) {
    taken = FileLock::try_take(file).has_value();
    if (!taken) usleep(10000);
  }
  CHECK(taken);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a lock that cannot be made is an error with the reason") {
  CHECK(test::error_text([] { FileLock::try_take("/nowhere/lock"); }) ==
        doctest::Contains("the lock /nowhere/lock cannot be made: No such file or directory"));
}
