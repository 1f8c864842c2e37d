// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/kind.h"

// Tries plugins before anybody relies on them. Every check of every plugin runs in a process of its own, so that
// whatever a plugin does is reported, and nothing that it does reaches another check.

namespace nbs::plugin_test {

constexpr int kMostLevel = 10;

/// How far the checks go, and what each may take.
struct Settings {
  int level = 5;                   ///< 1 to kMostLevel; each level includes those below it
  int seconds = 60;                ///< for one check of one plugin
  std::int64_t memory_mib = 4096;  ///< for one check, beyond what a process without the plugin has
  std::int64_t calls = 10000;      ///< that the check of memory makes, if its time allows
};

/// What a check has found: a note says what its author should know, but nothing that is wrong.
struct Finding {
  bool failure = false;
  std::string what;    ///< a sentence
  std::string change;  ///< what to change
};

/// good: nothing was found; notes: nothing wrong; not_tried: it could not be tried, and a finding says why.
enum class Verdict { good, notes, failed, not_tried };

/// One check of one plugin.
struct CheckReport {
  int level = 0;
  std::string check;
  std::string tried;  ///< what was tried, in a few words
  Verdict verdict = Verdict::good;
  std::vector<Finding> findings;
};

struct PluginReport {
  Kind kind = Kind::sampler;
  std::string name;
  std::size_t options = 0;  ///< how many it has
  std::vector<CheckReport> checks;

  bool passed() const;
};

struct LibraryReport {
  std::string file;
  std::string refusal;  ///< why it was not taken, as a sentence; empty if it was
  std::string library;  ///< its own name
  std::string version;
  std::vector<std::string> warnings;  ///< differences between its build and that of nbs
  std::vector<PluginReport> plugins;

  bool passed() const;
};

/// Tries all plugins of some libraries. `told` gets each check's report as soon as it is there, behind the library's
/// and the plugin's without it. Call it before this process starts threads. Throws nbs::Error if no process can be
/// made.
using Told = std::function<void(const LibraryReport&, const PluginReport*, const CheckReport*)>;
std::vector<LibraryReport> test_libraries(const std::vector<std::filesystem::path>& files, const Settings& settings,
                                          const Told& told);

/// The report as people read it, piece by piece as `told` gets it; each ends with a newline.
std::string heading(const LibraryReport& library);
std::string heading(const LibraryReport& library, const PluginReport& plugin);
std::string text(const CheckReport& check);
/// What came out, in one line.
std::string summary(const std::vector<LibraryReport>& libraries);

/// The whole report for scripts; docs/test-plugin.md has the keys.
nlohmann::ordered_json to_json(const std::vector<LibraryReport>& libraries, const Settings& settings);

}  // namespace nbs::plugin_test
