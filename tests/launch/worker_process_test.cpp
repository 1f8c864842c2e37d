// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/worker_process.h"

#include <csignal>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/ending.h"

#include "background.h"
#include "error_text.h"
#include "messages.h"
#include "run_environment.h"

using namespace nbs;
using doctest::Contains;

namespace {

// A worker that only a signal ends. Short sleeps, as a shell handles signals between commands.
const std::string kForEver = "while :; do sleep 0.05; done";

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

TEST_CASE("an exit code that is the worker's own comes back; any other end is said and is a failure") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "case $1 in exit) exit $2;; kill) kill -$2 $$; sleep 0.2;; esac");
  CHECK(launch::run_worker({"exit", "0"}) == 0);
  CHECK(launch::run_worker({"exit", "1"}) == 1);
  CHECK(launch::run_worker({"exit", "2"}) == 2);
  CHECK(launch::run_worker({"exit", "130"}) == 130);
  CHECK(launch::run_worker({"kill", "INT"}) == 130);
  int code = 0;
  const auto said = [&](const char* how, const char* what) {
    return test::messages_of([&] { code = launch::run_worker({how, what}); });
  };
  CHECK(test::text(said("exit", "77")) == Contains("the worker ended with status 77, which is none of its own"));
  CHECK(code == 1);
  CHECK(test::text(said("kill", "KILL")) == Contains("ended by SIGKILL (signal 9): usually because the machine"));
  CHECK(code == 1);
  CHECK(test::text(said("kill", "SEGV")) ==
        Contains("ended by SIGSEGV (signal 11): it crashed: a mistake in a plugin"));
  CHECK(code == 1);
  CHECK(test::text(said("kill", "TERM")) == Contains("ended by SIGTERM (signal 15): somebody"));
  CHECK(code == 1);
}

TEST_CASE("arguments arrive unchanged, also empty ones and ones with blanks and quotes") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "for word in \"$@\"; do printf '<%s>' \"$word\"; done");
  CHECK(test::text(launch::worker_output({"run", "a b", "", "--set", "x=\"y\"", "$HOME", "*"})) ==
        "<run><a b><><--set><x=\"y\"><$HOME><*>");
}

TEST_CASE("the worker's waiting threads do not spin for long, unless the user has said how they wait") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "echo \"$GOMP_SPINCOUNT,$OMP_WAIT_POLICY,$NBS_TEST_OTHER\"");
  const test::Variable other("NBS_TEST_OTHER", "stays");
  unsetenv("GOMP_SPINCOUNT");  // CTest sets it
  CHECK(launch::worker_output({"x"}) == "10000,,stays\n");
  {
    const test::Variable own("GOMP_SPINCOUNT", "5");
    CHECK(launch::worker_output({"x"}) == "5,,stays\n");
  }
  const test::Variable policy("OMP_WAIT_POLICY", "active");
  CHECK(launch::worker_output({"x"}) == ",active,stays\n");
}

TEST_CASE("no other library's handlers of signals are in front of the worker's, unless the user wants them") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "echo \"${UCX_ERROR_SIGNALS-unset}\"");
  unsetenv("UCX_ERROR_SIGNALS");  // CTest sets it
  CHECK(launch::worker_output({"x"}) == "\n");
  const test::Variable own("UCX_ERROR_SIGNALS", "SEGV");
  CHECK(launch::worker_output({"x"}) == "SEGV\n");
}

TEST_CASE("an interrupt is the worker's to handle: this program hands it on and goes on waiting") {
  const test::Scratch scratch;
  auto* const before = std::signal(SIGINT, note_interrupt);
  {
    // Sent to this program alone; the worker catches what is handed on, and ends cleanly.
    const test::FakeWorker worker(scratch, "trap 'exit 9' INT; kill -INT $PPID; " + kForEver);
    launch::Workers workers;
    workers.start({});
    const auto end = workers.wait();
    CHECK(end.code == 9);
    CHECK(workers.stop_signal() == SIGINT);
    CHECK(interrupts == 0);
  }
  {
    const test::FakeWorker worker(scratch, "trap 'exit 0' INT; kill -INT $PPID; " + kForEver);
    CHECK(launch::run_worker({}) == 130);  // whatever it ended with: no next run is to be started
  }
  // Afterwards an interrupt reaches this program's own handler again.
  std::raise(SIGINT);
  CHECK(interrupts == 1);
  std::signal(SIGINT, before);
}

TEST_CASE("an interrupt that was ignored stays ignored, here and in the worker") {
  const test::Scratch scratch;
  auto* const before = std::signal(SIGINT, SIG_IGN);
  const test::FakeWorker worker(scratch, "kill -INT $$; kill -INT $PPID; exit 0");
  CHECK(launch::run_worker({}) == 0);
  std::signal(SIGINT, before);
}

TEST_CASE("SIGTERM and SIGHUP are handed on; a worker that does not end in time is killed") {
  const test::Scratch scratch;
  const test::Variable grace("NBS_GRACE_SECONDS", "1");
  {
    const test::FakeWorker worker(scratch, "trap 'exit 0' $1; kill -$1 $PPID; " + kForEver);
    CHECK(launch::run_worker({"TERM"}) == 128 + SIGTERM);
    CHECK(launch::run_worker({"HUP"}) == 128 + SIGHUP);
  }
  const test::FakeWorker worker(scratch, "trap '' TERM; kill -TERM $PPID; " + kForEver);
  int code = 0;
  CHECK(test::messages_of([&] { code = launch::run_worker({}); }) ==
        "nbs: 1 of the workers did not end within 3 s and were killed\n");
  CHECK(code == 128 + SIGTERM);
}

TEST_CASE("the second interrupt ends this program and its workers at once; a signal that comes twice is one") {
  const test::Scratch scratch;
  const auto number = scratch / "worker.pid";
  const test::FakeWorker worker(scratch, "trap '' INT; echo $$ > " + number.string() + "; " + kForEver);
  const pid_t front = fork();
  REQUIRE(front >= 0);
  if (front == 0) {
    const int file = open((scratch / "said.txt").c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(file, STDERR_FILENO);
    _exit(launch::run_worker({}));
  }
  REQUIRE(test::wait_until([&] { return !test::lines_of(number).empty(); }));
  const pid_t process = std::stoi(test::lines_of(number).at(0));
  kill(front, SIGINT);
  usleep(50000);
  kill(front, SIGINT);
  usleep(300000);
  CHECK(test::is_running(front));
  CHECK(test::is_running(process));
  const std::vector<std::string> first = {
      "", "nbs: stopping as soon as what is done so far is complete and saved; Ctrl-C again ends everything at once"};
  CHECK(test::lines_of(scratch / "said.txt") == first);
  kill(front, SIGINT);
  int status = 0;
  waitpid(front, &status, 0);
  CHECK(WEXITSTATUS(status) == 130);
  CHECK(test::lines_of(scratch / "said.txt").back() == "nbs: interrupted twice, so everything was ended at once");
  CHECK(test::wait_until([&] { return !test::is_running(process); }));
}

TEST_CASE("a worker ends with its front end, also when that is killed") {
  const test::Scratch scratch;
  const auto number = scratch / "worker.pid";
  const auto told = scratch / "told";
  const test::FakeWorker worker(
      scratch, "trap 'echo told > " + told.string() + "; exit 0' TERM; echo $$ > " + number.string() + "; " + kForEver);
  for (const int signal : {SIGKILL, SIGSEGV}) {
    std::filesystem::remove(number);
    std::filesystem::remove(told);
    const pid_t front = fork();
    REQUIRE(front >= 0);
    if (front == 0) {
      std::signal(SIGSEGV, SIG_DFL);
      _exit(launch::run_worker({}));
    }
    REQUIRE(test::wait_until([&] { return !test::lines_of(number).empty(); }));
    const pid_t process = std::stoi(test::lines_of(number).at(0));
    kill(front, signal);
    waitpid(front, nullptr, 0);
    CHECK(test::wait_until([&] { return !test::is_running(process); }));
    CHECK(test::lines_of(told).size() == 1);
  }
}

TEST_CASE("a worker starts with no signal blocked") {
  // No shell, which would unblock them itself.
  const test::Variable named("NBS_WORKER", "/bin/grep");
  launch::Workers workers;
  workers.start({"-q", "SigBlk:.0000000000000000", "/proc/self/status"});
  CHECK(workers.wait().code == 0);
}

TEST_CASE("workers that nobody waits for any more are ended") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, kForEver);
  pid_t process = 0;
  {
    launch::Workers workers;
    process = workers.start({});
    CHECK(test::is_running(process));
  }
  CHECK_FALSE(test::is_running(process));
}

TEST_CASE("the grace period is a whole number of seconds, or a sentence says so") {
  CHECK(grace_seconds() == 10);
  for (const char* wrong : {"0", "-1", "ten", "1.5", "99999999999999999999", "3601", "9 s"}) {
    const test::Variable grace("NBS_GRACE_SECONDS", wrong);
    CHECK(test::error_text([] { grace_seconds(); }) ==
          test::text("NBS_GRACE_SECONDS is \"" + std::string(wrong) + "\", but must be a whole number from 1 to 3600"));
  }
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

TEST_CASE("a description that a signal ends is an error that names it") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "kill -SEGV $$");
  CHECK(test::error_text([] { launch::worker_output({"describe"}); }) ==
        Contains("describe ended with status 139: the worker was ended by SIGSEGV"));
}

TEST_CASE("a log takes the worker's messages, behind those that are there") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "echo \"message $1\" >&2; exit $1");
  launch::Workers workers;
  for (const int code : {0, 5}) {
    workers.start({std::to_string(code)}, {scratch / "log.txt"});
    CHECK(workers.wait().code == code);
  }
  CHECK(nbs::read_file(scratch / "log.txt") == "message 0\nmessage 5\n");
}

TEST_CASE("a worker that cannot be started ends with 127 and says why") {
  const test::Scratch scratch;
  const test::Variable named("NBS_WORKER", (scratch / "none").string());
  launch::Workers workers;
  workers.start({}, {scratch / "log.txt"});
  CHECK(workers.wait().code == 127);
  CHECK(test::text(nbs::read_file(scratch / "log.txt")) ==
        test::text("nbs: the worker " + (scratch / "none").string() +
                   " cannot be started: No such file or directory; check NBS_WORKER, or install nbs again\n"));
}

TEST_CASE("of several workers the one that ends is told with its status") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "sleep $1; exit $2");
  launch::Workers workers;
  const auto slow = workers.start({"0.6", "1"});
  const auto quick = workers.start({"0", "2"});
  CHECK(workers.running() == 2);
  auto end = workers.wait();
  CHECK(end.process == quick);
  CHECK(end.code == 2);
  end = workers.wait();
  CHECK(end.process == slow);
  CHECK(end.code == 1);
  CHECK(test::error_text([&] { workers.wait(); }) == Contains("waiting for the workers failed: none runs"));
}
