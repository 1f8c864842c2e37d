// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "nbs/plugin_test/plugin_test.h"

#include "subject.h"

namespace nbs::plugin_test {

/// What a check says while it runs.
class Notes {
 public:
  /// What was tried, in a few words; of several calls the last counts.
  void tried(std::string what) { tried_ = std::move(what); }
  void fail(std::string what, std::string change) { findings_.push_back({true, std::move(what), std::move(change)}); }
  void note(std::string what, std::string change) { findings_.push_back({false, std::move(what), std::move(change)}); }

  const std::string& tried() const { return tried_; }
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  std::string tried_;
  std::vector<Finding> findings_;
};

/// A family of things that are tried. What `run` throws is a failure of the plugin.
struct Check {
  int level = 1;
  const char* name = "";
  std::vector<Kind> kinds;  ///< that it is for; empty: all
  void (*run)(const Subject& subject, Notes& notes) = nullptr;
  /// A check in parts instead, each in a process of its own: their names, and what is done for one.
  std::vector<std::string> (*parts)(const Subject& subject) = nullptr;
  void (*run_part)(const Subject& subject, std::size_t part, Notes& notes) = nullptr;
  std::vector<std::string> behind = {};  ///< checks whose failure makes this one meaningless
};

/// All checks, by level.
const std::vector<Check>& all_checks();

// One function for each file, in the order of all_checks(). Each says in its own file what it tries.
void check_registration(const Subject& subject, Notes& notes);
void check_options(const Subject& subject, Notes& notes);
void check_contract(const Subject& subject, Notes& notes);
void check_gradient(const Subject& subject, Notes& notes);
std::vector<std::string> extreme_settings(const Subject& subject);
void check_extreme(const Subject& subject, std::size_t part, Notes& notes);
void check_determinism(const Subject& subject, Notes& notes);
void check_saving(const Subject& subject, Notes& notes);
void check_surroundings(const Subject& subject, Notes& notes);
void check_inputs(const Subject& subject, Notes& notes);
void check_replay(const Subject& subject, Notes& notes);
void check_batches(const Subject& subject, Notes& notes);
void check_exceptions(const Subject& subject, Notes& notes);
void check_memory(const Subject& subject, Notes& notes);
void check_speed(const Subject& subject, Notes& notes);
void check_training(const Subject& subject, Notes& notes);

}  // namespace nbs::plugin_test
