// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/worker_process.h"

#include <csignal>

#include <doctest/doctest.h>

#include "error_text.h"
#include "run_environment.h"

using namespace nbs;
using doctest::Contains;

namespace {

volatile std::sig_atomic_t interrupts = 0;

void note_interrupt(int) {
  interrupts = interrupts + 1;
}

}  // namespace

TEST_CASE("the worker is the program that NBS_WORKER names; without one the sentence says where it was looked for") {
  {
    const test::Variable named("NBS_WORKER", "/some/where/worker");
    CHECK(launch::worker_program() == "/some/where/worker");
  }
  // In a build tree the worker may lie beside this test.
  unsetenv("NBS_WORKER");
  std::filesystem::path found;
  const auto sentence = test::error_text([&] { found = launch::worker_program(); });
  if (found.empty()) {
    CHECK(sentence == Contains("install nbs again, or set NBS_WORKER to its path"));
  } else {
    CHECK(found.filename() == "nbs-worker");
    CHECK(std::filesystem::is_regular_file(found));
  }
}

TEST_CASE("exit codes come back as they are, signals as 128 and their number") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "case $1 in exit) exit $2;; kill) kill -$2 $$; sleep 5;; esac");
  CHECK(launch::run_worker({"exit", "0"}) == 0);
  CHECK(launch::run_worker({"exit", "1"}) == 1);
  CHECK(launch::run_worker({"exit", "77"}) == 77);
  CHECK(launch::run_worker({"kill", "KILL"}) == 128 + SIGKILL);
  CHECK(launch::run_worker({"kill", "TERM"}) == 128 + SIGTERM);
}

TEST_CASE("arguments arrive unchanged, also empty ones and ones with blanks and quotes") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "for word in \"$@\"; do printf '<%s>' \"$word\"; done");
  CHECK(test::text(launch::worker_output({"run", "a b", "", "--set", "x=\"y\"", "$HOME", "*"})) ==
        "<run><a b><><--set><x=\"y\"><$HOME><*>");
}

TEST_CASE("an interrupt is the worker's to handle: it can be interrupted, and this program goes on waiting") {
  const test::Scratch scratch;
  auto* const before = std::signal(SIGINT, note_interrupt);
  {
    // The terminal would send it to both; the worker catches it, ends cleanly with its own code.
    const test::FakeWorker worker(scratch, "trap 'exit 9' INT; kill -INT $PPID; kill -INT $$; sleep 5");
    CHECK(launch::run_worker({}) == 9);
    CHECK(interrupts == 0);
  }
  {
    const test::FakeWorker worker(scratch, "kill -INT $$; exit 3");
    CHECK(launch::run_worker({}) == 128 + SIGINT);
  }
  // Afterwards an interrupt reaches this program's own handler again.
  std::raise(SIGINT);
  CHECK(interrupts == 1);
  std::signal(SIGINT, before);
}

TEST_CASE("standard output is collected, however much it is; failure is an error with command and status") {
  const test::Scratch scratch;
  {
    const test::FakeWorker worker(scratch, "head -c 1000000 /dev/zero | tr '\\0' x");
    CHECK(launch::worker_output({}) == std::string(1000000, 'x'));
  }
  const test::FakeWorker worker(scratch, "echo partial; exit 4");
  CHECK(test::error_text([&] {
          launch::worker_output({"describe", "here"});
        }) == test::text(worker.program().string() + " describe here ended with status 4"));
}

TEST_CASE("a log takes the worker's messages, behind those that are there") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "echo \"message $1\" >&2; exit $1");
  CHECK(launch::wait_for(launch::start_worker({"0"}, scratch / "log.txt")) == 0);
  CHECK(launch::wait_for(launch::start_worker({"5"}, scratch / "log.txt")) == 5);
  CHECK(nbs::read_file(scratch / "log.txt") == "message 0\nmessage 5\n");
}

TEST_CASE("a worker that cannot be started ends with 127 and says why") {
  const test::Scratch scratch;
  const test::Variable named("NBS_WORKER", (scratch / "none").string());
  CHECK(launch::wait_for(launch::start_worker({}, scratch / "log.txt")) == 127);
  CHECK(test::text(nbs::read_file(scratch / "log.txt")) ==
        test::text("nbs: the worker " + (scratch / "none").string() +
                   " cannot be started: No such file or directory; check NBS_WORKER, or install nbs again\n"));
}

TEST_CASE("of several workers the one that ends is told with its status") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "sleep $1; exit $2");
  const auto slow = launch::start_worker({"0.6", "1"});
  const auto quick = launch::start_worker({"0", "2"});
  CHECK(launch::wait_for_any() == std::pair<pid_t, int>{quick, 2});
  CHECK(launch::wait_for_any() == std::pair<pid_t, int>{slow, 1});
  CHECK(test::error_text([] { launch::wait_for_any(); }) == Contains("waiting for the workers failed"));
}
