// SPDX-License-Identifier: Apache-2.0
// Loaded before the C library (LD_PRELOAD), it makes the system worse for a program:
//   NBS_TEST_NO_LOCKS: no file can be locked, as on some network file systems;
//   NBS_TEST_CLOCK: seconds by which the clock of the day is off.
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <dlfcn.h>
#include <sys/file.h>
#include <sys/time.h>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

long clock_is_off() {
  const char* const seconds = std::getenv("NBS_TEST_CLOCK");
  return seconds != nullptr ? std::strtol(seconds, nullptr, 10) : 0;
}

}  // namespace

extern "C" {

int flock(int descriptor, int operation) noexcept {
  if (std::getenv("NBS_TEST_NO_LOCKS") != nullptr) {
    errno = ENOLCK;
    return -1;
  }
  return real<int(int, int)>("flock")(descriptor, operation);
}

int clock_gettime(clockid_t which, timespec* now) noexcept {
  const int result = real<int(clockid_t, timespec*)>("clock_gettime")(which, now);
  if (result == 0 && which == CLOCK_REALTIME) now->tv_sec += clock_is_off();
  return result;
}

time_t time(time_t* to) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (to != nullptr) *to = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
}
