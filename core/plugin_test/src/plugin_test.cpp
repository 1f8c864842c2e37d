// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin_test/plugin_test.h"

#include <algorithm>
#include <map>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/host/apart.h"
#include "nbs/host/breach.h"
#include "nbs/host/kept_reports.h"
#include "nbs/host/search_path.h"
#include "nbs/tensor.h"

#include "check.h"

namespace nbs::plugin_test {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMoreSeconds = "--seconds";
// Of a check in parts, each may take so much of the check's time.
constexpr int kParts = 40;

bool is_about_memory(const std::string& text) {
  return text.find("can't allocate memory") != text.npos || text.find("std::bad_alloc") != text.npos ||
         text.find("not enough memory") != text.npos;
}

// What a plugin threw, as a failure. LibTorch's texts have a backtrace in further lines.
void note_thrown(const Subject& subject, const std::string& text, Notes& notes) {
  if (is_about_memory(text)) {
    notes.fail(fmt::format("{} asked for more memory than the {} MiB that a check may take", subject.label(),
                           subject.settings.memory_mib),
               "use less, or give it more with --memory");
    return;
  }
  notes.fail(text, "mend what it says; an exception in ordinary use is a failure");
}

// In the process of the check.
std::string run_here(const Subject& subject, const Check& check, std::size_t part) {
  at::set_num_threads(1);
  // One check tells of what is put back after calls; the others need not repeat it.
  constexpr int kLevelOfSurroundings = 6;
  if (subject.settings.level >= kLevelOfSurroundings) host::collect_kept_reports([](const std::string&) {});
  Notes notes;
  try {
    if (check.run_part != nullptr) {
      check.run_part(subject, part, notes);
    } else {
      check.run(subject, notes);
    }
  } catch (const host::Breach& breach) {
    notes.fail(breach.what(), "keep to what the interface of the kind promises (docs/plugins.md, and its header)");
  } catch (const c10::Error& error) {
    note_thrown(subject, error.what_without_backtrace(), notes);
  } catch (const std::exception& error) {
    note_thrown(subject, error.what(), notes);
  } catch (...) {
    note_thrown(subject, "something was thrown that is not a std::exception", notes);
  }
  Json findings = Json::array();
  for (const auto& finding : notes.findings())
    findings.push_back({finding.failure, finding.what, finding.change});
  return Json{{"tried", notes.tried()}, {"findings", findings}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* advice_for_ending(const std::string& failure) {
  if (failure.find("crashed") == 0) return "build it with -g -fsanitize=address,undefined to see where";
  if (failure.find("did not come") == 0) return "look for a loop that does not end";
  return "throw nbs::Error with a sentence instead of ending the program";
}

void read_answer(const std::string& answer, CheckReport& report) {
  const auto json = Json::parse(answer);
  report.tried = json.at("tried");
  for (const auto& finding : json.at("findings"))
    report.findings.push_back({finding.at(0), finding.at(1), finding.at(2)});
}

// How many parts came to which end, in words; what no plugin must do is a failure, what the limits ended a note.
void read_parts(const Subject& subject, const std::vector<std::string>& names, const std::vector<host::Apart>& parts,
                CheckReport& report) {
  std::map<std::string, int> ends;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    if (part.failure.empty()) {
      CheckReport own;
      read_answer(part.answer, own);
      for (auto& finding : own.findings) {
        // At its extremes a plugin may need more than there is.
        if (finding.change.find("--memory") != finding.change.npos) {
          finding.failure = false;
          finding.what = fmt::format("with {}: {}", names[i], finding.what);
        }
        report.findings.push_back(finding);
      }
      if (own.findings.empty()) ++ends[own.tried];
      continue;
    }
    const bool late = part.failure.find("did not come") == 0;
    report.findings.push_back(
        {!late, fmt::format("with {}: {} {}", names[i], subject.label(), part.failure),
         late ? "limit the option if nobody can use this value" : advice_for_ending(part.failure)});
  }
  std::string counts;
  for (const auto& [end, count] : ends)
    counts += fmt::format("{}{} {}", counts.empty() ? ": " : ", ", count, end);
  report.tried = fmt::format("{} settings, one at a time{}", parts.size(), counts);
}

// One check of one plugin. Returns whether the plugin left the process as it should.
bool run_check(const Subject& subject, const Check& check, CheckReport& report) {
  host::ApartLimits limits{subject.settings.seconds, kMoreSeconds, subject.settings.memory_mib};
  const auto work = [&](std::size_t part) { return run_here(subject, check, part); };
  if (check.parts != nullptr) {
    const auto names = check.parts(subject);
    limits.seconds = std::max(1, limits.seconds / kParts);
    read_parts(subject, names, host::run_apart(names.size(), work, limits), report);
    return true;
  }
  const auto result = host::run_apart(1, work, limits).front();
  if (result.failure.empty()) {
    read_answer(result.answer, report);
    return true;
  }
  report.findings.push_back(
      {true, fmt::format("{} {}", subject.label(), result.failure), advice_for_ending(result.failure)});
  return false;
}

Verdict verdict_of(const std::vector<Finding>& findings) {
  if (findings.empty()) return Verdict::good;
  const bool failed = std::any_of(findings.begin(), findings.end(), [](const auto& one) { return one.failure; });
  return failed ? Verdict::failed : Verdict::notes;
}

// A sentence without what differs when the same mistake is met again: numbers, the setting that was tried, the method.
std::string gist_of(const std::string& sentence) {
  auto text = sentence;
  if (text.rfind("with ", 0) == 0) text.erase(0, std::min(text.size(), text.find(": ") + 2));
  const auto method = text.find("\", ");
  const auto end = text.find("(): ");
  if (method != text.npos && end != text.npos && method < end) text.erase(method, end - method);
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }), text.end());
  return text;
}

// A check that met again what another has found says so, and counts as not tried: one mistake is one failure.
void refer_to_earlier(const std::vector<CheckReport>& earlier, CheckReport& report) {
  if (report.verdict != Verdict::failed) return;
  std::map<std::string, std::string> found;  // by gist, the check
  for (const auto& before : earlier) {
    for (const auto& finding : before.findings) {
      if (before.verdict == Verdict::failed && finding.failure) found.emplace(gist_of(finding.what), before.check);
    }
  }
  std::string check;
  for (const auto& finding : report.findings) {
    if (!finding.failure) continue;
    const auto at = found.find(gist_of(finding.what));
    if (at == found.end()) return;
    check = at->second;
  }
  report.verdict = Verdict::not_tried;
  report.findings = {{false, fmt::format("the plugin does here what the check \"{}\" has found", check), ""}};
}

// The check whose failure makes another one meaningless, if it has failed, or "".
std::string obstacle_to(const Check& check, const std::vector<CheckReport>& earlier) {
  for (const auto& before : earlier) {
    const bool bad = before.verdict == Verdict::failed || before.verdict == Verdict::not_tried;
    if (bad && std::find(check.behind.begin(), check.behind.end(), before.check) != check.behind.end())
      return before.check;
  }
  return "";
}

bool is_for(const Check& check, Kind kind) {
  return check.kinds.empty() || std::find(check.kinds.begin(), check.kinds.end(), kind) != check.kinds.end();
}

void test_plugin(const Subject& subject, const LibraryReport& library, PluginReport& report, const Told& told) {
  std::string ended_in;
  for (const auto& check : all_checks()) {
    if (check.level > subject.settings.level || !is_for(check, subject.plugin.kind)) continue;
    CheckReport one;
    one.level = check.level;
    one.check = check.name;
    const auto obstacle = obstacle_to(check, report.checks);
    if (ended_in.empty() && obstacle.empty()) {
      if (!run_check(subject, check, one)) ended_in = check.name;
      one.verdict = verdict_of(one.findings);
      refer_to_earlier(report.checks, one);
    } else {
      one.verdict = Verdict::not_tried;
      one.findings.push_back({false,
                              ended_in.empty()
                                  ? fmt::format("it would say little before \"{}\" is mended", obstacle)
                                  : fmt::format("the check \"{}\" did not come to its end; mend that first", ended_in),
                              ""});
    }
    report.checks.push_back(one);
    told(library, &report, &report.checks.back());
  }
}

}  // namespace

const std::vector<Check>& all_checks() {
  static const std::vector<Check> all = {
      {1, "registration", {}, check_registration},
      {2, "options", {}, check_options},
      {3, "contract", {}, check_contract},
      {3, "gradient", {Kind::autoencoder, Kind::predictor}, check_gradient},
      {4, "extremes", {}, nullptr, extreme_settings, check_extreme, {"contract"}},
      {5, "determinism", {}, check_determinism},
      {5, "saving", {}, check_saving, nullptr, nullptr, {"determinism"}},
      {6, "surroundings", {}, check_surroundings},
      {7, "inputs", {}, check_inputs},
      {7, "replay", {Kind::autoencoder}, check_replay},
      {8, "batches", {Kind::autoencoder, Kind::predictor, Kind::postprocessor}, check_batches},
      {8, "exceptions", {Kind::sampler, Kind::predictor}, check_exceptions},
      {9, "memory", {}, check_memory},
      {9, "speed", {}, check_speed},
      {10, "training", {}, check_training, nullptr, nullptr, {"contract", "determinism", "saving", "replay"}},
  };
  return all;
}

std::vector<LibraryReport> test_libraries(const std::vector<std::filesystem::path>& files, const Settings& settings,
                                          const Told& told) {
  // What nbs comes with is there to be compared with, which only one check does.
  constexpr int kLevelOfSpeed = 9;
  const auto folders =
      settings.level >= kLevelOfSpeed ? host::plugin_search_path({}, {}) : std::vector<std::filesystem::path>();
  auto* const registry = host::Registry::open(folders);
  std::vector<LibraryReport> reports;
  for (const auto& given : files) {
    const auto file = std::filesystem::absolute(given).lexically_normal();
    reports.emplace_back();
    auto& report = reports.back();
    report.file = file.string();
    const auto known = registry->catalog().plugins.size();
    const auto warned = registry->catalog().warnings.size();
    report.refusal = registry->load(file);
    const auto& catalog = registry->catalog();
    report.warnings.assign(catalog.warnings.begin() + static_cast<std::ptrdiff_t>(warned), catalog.warnings.end());
    const std::vector<host::PluginDescription> plugins(catalog.plugins.begin() + static_cast<std::ptrdiff_t>(known),
                                                       catalog.plugins.end());
    if (!plugins.empty()) {
      report.library = plugins.front().library;
      report.version = plugins.front().version;
    }
    told(report, nullptr, nullptr);
    for (const auto& plugin : plugins) {
      PluginReport one;
      one.kind = plugin.kind;
      one.name = plugin.name;
      one.options = plugin.options.size();
      told(report, &one, nullptr);
      test_plugin({registry, plugin, settings}, report, one, told);
      report.plugins.push_back(std::move(one));
    }
  }
  return reports;
}

bool PluginReport::passed() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const CheckReport& check) { return check.verdict == Verdict::failed; });
}

bool LibraryReport::passed() const {
  return refusal.empty() &&
         std::all_of(plugins.begin(), plugins.end(), [](const PluginReport& plugin) { return plugin.passed(); });
}

}  // namespace nbs::plugin_test
