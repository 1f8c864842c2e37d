// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/machine.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <sched.h>

#include "nbs/base/number.h"
#include "nbs/error.h"

namespace nbs::launch {

namespace {

constexpr double kMiB = 1024.0 * 1024;

// The number behind "name:" in a file of lines such as "MemAvailable:  123 kB".
std::optional<double> number_behind(const std::filesystem::path& file, const std::string& name) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind(name + ":", 0) != 0) continue;
    std::istringstream rest(line.substr(name.size() + 1));
    double number = 0;
    if (rest >> number) return number;
  }
  return std::nullopt;
}

// The only number in a file; nothing if it holds a word ("max") or is not there.
std::optional<double> number_in(const std::filesystem::path& file) {
  std::ifstream stream(file);
  double number = 0;
  if (stream >> number) return number;
  return std::nullopt;
}

// What the control groups of this process leave, in bytes; those above it count, too.
double left_by_groups(const std::filesystem::path& root) {
  double least = std::numeric_limits<double>::infinity();
  const auto look = [&](const std::filesystem::path& mount, std::filesystem::path group, const char* limit,
                        const char* used) {
    for (;; group = group.parent_path()) {
      const auto folder = mount / group.relative_path();
      const auto most = number_in(folder / limit);
      if (most) least = std::min(least, std::max(0.0, *most - number_in(folder / used).value_or(0)));
      if (!group.has_relative_path()) break;
    }
  };
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    // "0::/path" is of version 2, "4:memory:/path" of version 1.
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::filesystem::path group = line.substr(second + 1);
    if (controllers == ",,") look(root / "sys/fs/cgroup", group, "memory.max", "memory.current");
    if (controllers.find(",memory,") != std::string::npos)
      look(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes", "memory.usage_in_bytes");
  }
  return least;
}

}  // namespace

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) > 0) return CPU_COUNT(&cores);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

double available_memory_mib(const std::filesystem::path& root) {
  const auto kibibytes = number_behind(root / "proc/meminfo", "MemAvailable");
  const double of_machine = kibibytes ? *kibibytes * 1024 : std::numeric_limits<double>::infinity();
  const double bytes = std::min(of_machine, left_by_groups(root));
  // A system that does not say must not hold everything back.
  return std::isfinite(bytes) ? bytes / kMiB : 1e9;
}

double memory_mib(const std::string& text, const std::string& what, double available) {
  const char letter = text.empty() ? ' ' : text.back();
  const std::string number =
      std::string("%KMGTkmgt").find(letter) == std::string::npos ? text : text.substr(0, text.size() - 1);
  double value = 0;
  try {
    value = parse_number(number, what, 0, 1e12);
  } catch (const Error&) {
    throw Error(
        fmt::format("{} is \"{}\", but must be a size such as 12G or 800M, or a share such as 80%", what, text));
  }
  double mib = value;
  if (letter == '%') mib = value / 100 * available;
  if (letter == 'K' || letter == 'k') mib = value / 1024;
  if (letter == 'G' || letter == 'g') mib = value * 1024;
  if (letter == 'T' || letter == 't') mib = value * 1024 * 1024;
  if (mib <= 0) throw Error(fmt::format("{} is \"{}\", but must be more than nothing", what, text));
  return mib;
}

double peak_memory_mib(pid_t process) {
  return number_behind(fmt::format("/proc/{}/status", process), "VmHWM").value_or(0) / 1024;
}

std::string memory_text(double mib) {
  return mib < 1000 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace nbs::launch
