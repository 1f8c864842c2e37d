// SPDX-License-Identifier: Apache-2.0
// Level 6: what belongs to the whole process and not to a plugin is as it was.
#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <locale>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbs/host/kept_reports.h"
#include "nbs/tensor.h"

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

// One thing that can be looked at, as a text that shows whether it has changed.
struct Look {
  const char* what;
  std::string (*see)();
  const char* change;
};

std::string see_handlers() {
  std::string seen;
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    seen += fmt::format("{} {}\n", signal, reinterpret_cast<std::uintptr_t>(action.sa_handler));
  }
  return seen;
}

std::string see_stream(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return "closed";
  return fmt::format("{} {}", status.st_dev, status.st_ino);
}

std::string see_mask() {
  const auto mask = umask(0);
  umask(mask);
  return fmt::format("{:o}", mask);
}

const std::vector<Look>& looks() {
  static const std::vector<Look> all = {
      {"the locale", [] { return fmt::format("{} {}", std::setlocale(LC_ALL, nullptr), std::locale().name()); },
       "pass a std::locale to the streams that need it, and leave the program's alone"},
      {"signal handlers", see_handlers, "leave signals to the host, which saves a run when it is told to stop"},
      {"the working directory", [] { return std::filesystem::current_path().string(); },
       "use absolute paths; an option with .path() is one"},
      {"standard output", [] { return see_stream(STDOUT_FILENO); },
       "leave standard streams open; scripts read what nbs prints there"},
      {"standard error", [] { return see_stream(STDERR_FILENO); }, "leave standard streams open"},
      {"the mask of new files' permissions", see_mask, "leave umask() alone"},
      {"the rounding of floating point numbers", [] { return std::to_string(std::fegetround()); },
       "put it back before you return"},
      {"LibTorch's deterministic mode", [] { return std::to_string(at::globalContext().deterministicAlgorithms()); },
       "leave the global context alone"},
  };
  return all;
}

// Standard output goes into memory for as long as this lives.
class Captured {
 public:
  Captured() : before_(dup(STDOUT_FILENO)), file_(memfd_create("output", MFD_CLOEXEC)) {
    if (file_ >= 0) dup2(file_, STDOUT_FILENO);
  }
  ~Captured() {
    if (before_ >= 0) dup2(before_, STDOUT_FILENO);
    close(before_);
    close(file_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string text() const {
    std::cout.flush();
    std::fflush(stdout);
    std::string text(200, '\0');
    const auto count = pread(file_, text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

 private:
  int before_;
  int file_;
};

void use_everything(const Subject& subject) {
  const auto facts = fitting_facts(subject);
  const auto specimen = Specimen::make(subject, facts, 3);
  for (std::int64_t round = 0; round < 2; ++round)
    specimen->use(round);
  specimen->component().load(specimen->saved());
}

std::string first_line(const std::string& text) {
  return text.substr(0, std::min(text.find('\n'), text.size()));
}

}  // namespace

void check_surroundings(const Subject& subject, Notes& notes) {
  notes.tried(
      "random generator, threads, gradient mode, default type, locale, signal handlers, working directory, streams, "
      "permissions, rounding; construction, use, saving");
  // Threads, gradient mode, default type and the generator are watched at every call, in runs as here.
  std::vector<std::string> reports;
  host::collect_kept_reports([&](const std::string& sentence) { reports.push_back(sentence); });
  const Captured output;
  std::vector<std::string> before;
  for (const auto& look : looks())
    before.push_back(look.see());
  use_everything(subject);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& look = looks()[i];
    const auto now = look.see();
    if (now == before[i]) continue;
    const bool closed = now == "closed";
    notes.fail(fmt::format("{} {} {}, which {} the whole program's", subject.label(), closed ? "closed" : "changed",
                           look.what, look.what[std::string(look.what).size() - 1] == 's' ? "are" : "is"),
               look.change);
  }
  if (const auto printed = output.text(); !printed.empty()) {
    notes.fail(fmt::format("{} printed to standard output, where scripts read what nbs prints: {}", subject.label(),
                           first_line(printed)),
               "use context.log(), which takes a line for the run's log");
  }
  host::collect_kept_reports([](const std::string&) {});
  for (const auto& report : reports)
    notes.fail(report, "keep to what is the component's own");
}

}  // namespace nbs::plugin_test
