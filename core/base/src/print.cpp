// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/print.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace nbs {

namespace {

int output_failure = 0;  // the first reason why standard output could not be written

void note_failure() {
  note_output_failure(errno != 0 ? errno : EIO);
}

void open_if_closed(int descriptor, int mode) {
  if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) return;
  // The lowest free number is taken, which is this one: those below it are open by now.
  const int opened = open("/dev/null", mode);
  if (opened >= 0 && opened != descriptor) {
    dup2(opened, descriptor);
    close(opened);
  }
}

}  // namespace

void prepare_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  open_if_closed(STDIN_FILENO, O_RDONLY);
  open_if_closed(STDOUT_FILENO, O_RDONLY);
  open_if_closed(STDERR_FILENO, O_WRONLY);
}

void say(const std::string& line) {
  // In one piece, as several processes may share the stream.
  const std::string whole = line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
  std::fflush(stderr);
}

void put(const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) note_failure();
}

void put_now(const std::string& text) {
  put(text);
  errno = 0;
  if (std::fflush(stdout) != 0) note_failure();
}

void note_output_failure(int reason) {
  if (output_failure == 0) output_failure = reason;
}

bool finish_output() {
  errno = 0;
  if (std::fflush(stdout) != 0) note_failure();
  if (std::ferror(stdout) != 0) note_output_failure(EIO);  // printed by other means, and nobody has noted the reason
  if (output_failure == 0 || output_failure == EPIPE) return true;
  say(std::string("nbs: standard output could not be written: ") + std::strerror(output_failure) +
      "; what was printed there is not complete");
  return false;
}

}  // namespace nbs
