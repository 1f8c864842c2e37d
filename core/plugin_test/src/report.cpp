// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/plugin_test/plugin_test.h"

namespace nbs::plugin_test {

namespace {

const char* word_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::notes:
      return "notes";
    case Verdict::failed:
      return "failed";
    case Verdict::not_tried:
      return "not tried";
  }
  return "";
}

}  // namespace

std::string heading(const LibraryReport& library) {
  std::string text = library.file + "\n";
  if (!library.refusal.empty()) text += fmt::format("refused: {}\n", library.refusal);
  for (const auto& warning : library.warnings)
    text += fmt::format("warning: {}\n", warning);
  return text;
}

std::string heading(const LibraryReport& library, const PluginReport& plugin) {
  return fmt::format("loaded: {} \"{}\" ({} {}), {} options\n", kind_name(plugin.kind), plugin.name, library.library,
                     library.version, plugin.options);
}

std::string text(const CheckReport& check) {
  std::string text =
      fmt::format("  {:>2} {:<13} {:<10}{}\n", check.level, check.check, word_for(check.verdict), check.tried);
  for (const auto& finding : check.findings) {
    text += fmt::format("       {}{}\n", finding.failure ? "" : "note: ", finding.what);
    if (!finding.change.empty()) text += fmt::format("       -> {}\n", finding.change);
  }
  return text;
}

std::string summary(const std::vector<LibraryReport>& libraries) {
  std::size_t plugins = 0;
  std::size_t failed = 0;
  std::size_t refused = 0;
  for (const auto& library : libraries) {
    if (!library.refusal.empty()) ++refused;
    for (const auto& plugin : library.plugins) {
      ++plugins;
      if (!plugin.passed()) ++failed;
    }
  }
  std::string text = fmt::format("{} of {} plugins passed", plugins - failed, plugins);
  if (refused > 0) text += fmt::format("; {} of {} libraries refused", refused, libraries.size());
  return text + "\n";
}

nlohmann::ordered_json to_json(const std::vector<LibraryReport>& libraries, const Settings& settings) {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  bool passed = true;
  for (const auto& library : libraries) {
    passed = passed && library.passed();
    Json plugins = Json::array();
    for (const auto& plugin : library.plugins) {
      Json checks = Json::array();
      for (const auto& check : plugin.checks) {
        Json findings = Json::array();
        for (const auto& finding : check.findings)
          findings.push_back({{"failure", finding.failure}, {"what", finding.what}, {"change", finding.change}});
        checks.push_back({{"level", check.level},
                          {"check", check.check},
                          {"verdict", word_for(check.verdict)},
                          {"tried", check.tried},
                          {"findings", findings}});
      }
      plugins.push_back({{"kind", kind_name(plugin.kind)},
                         {"name", plugin.name},
                         {"options", plugin.options},
                         {"passed", plugin.passed()},
                         {"checks", checks}});
    }
    all.push_back({{"file", library.file},
                   {"passed", library.passed()},
                   {"refusal", library.refusal},
                   {"library", library.library},
                   {"version", library.version},
                   {"warnings", library.warnings},
                   {"plugins", plugins}});
  }
  return {{"format", 1}, {"level", settings.level}, {"passed", passed}, {"libraries", all}};
}

}  // namespace nbs::plugin_test
