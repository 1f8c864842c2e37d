// SPDX-License-Identifier: Apache-2.0
#include "comparison.h"

#include <fmt/format.h>

namespace nbs::report {

namespace {

Ours ours_for(const std::string& dataset, const std::string& method, const std::vector<Group>& groups) {
  Ours ours;
  bool any = false;
  bool finished = false;
  for (const auto& group : groups) {
    if (group.dataset != dataset || group.method != method) continue;
    any = true;
    for (const RunRecord* run : group.runs)
      finished = finished || run->state == RunRecord::State::finished;
    if (!group.counted.empty()) ours.groups.push_back(&group);
  }
  if (ours.groups.size() > 1) {
    ours.state = Ours::State::several;
  } else if (ours.groups.size() == 1) {
    ours.state = Ours::State::found;
  } else if (any) {
    ours.state = finished ? Ours::State::unscored : Ours::State::unfinished;
  }
  return ours;
}

std::string several_note(const std::string& dataset, const std::string& method, const Ours& ours) {
  std::vector<const RunRecord*> firsts;
  for (const Group* group : ours.groups)
    firsts.push_back(group->counted.front());
  std::string differences;
  for (const auto& name : telling_options(firsts))
    differences += (differences.empty() ? "" : ", ") + name;
  return fmt::format(
      "{}, {}: {} different pipelines carry these labels, so they are not averaged{}; name the folder of one of them, "
      "or give them different experiment.method.",
      dataset, method, ours.groups.size(), differences.empty() ? "" : " (they differ in " + differences + ")");
}

void note_left_out(const std::vector<Group>& groups, std::vector<std::string>& notes) {
  std::string names;
  int count = 0;
  for (const auto& group : groups) {
    for (const RunRecord* run : group.runs) {
      if (run->counts()) continue;
      ++count;
      const char* why = run->state == RunRecord::State::finished ? "without scores" : record::state_name(run->state);
      names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", run->folder.filename().string(), why);
    }
  }
  if (count > 0) notes.push_back(fmt::format("Not counted: {}.", names));
}

// Where the scored masks show no anomaly there is no F1; the mean is over the other runs.
void note_nothing_to_find(const std::vector<Group>& groups, std::vector<std::string>& notes) {
  for (const auto& group : groups) {
    std::string names;
    for (const RunRecord* run : group.counted) {
      if (run->nothing_to_find()) names += (names.empty() ? "" : ", ") + run->folder.filename().string();
    }
    if (names.empty()) continue;
    notes.push_back(fmt::format(
        "{}: no scored mask of {} shows an anomaly, so precision, recall, F1 and IoU are undefined there and left "
        "out of the means.",
        group.label, names));
  }
}

// A score that is undefined in some runs has a mean over the others.
void note_fewer(const std::vector<Group>& groups, std::vector<std::string>& notes) {
  for (const auto& group : groups) {
    std::string names;
    for (const auto& column : record::score_infos()) {
      const auto mean = group.score(column.score);
      const bool told = std::any_of(group.counted.begin(), group.counted.end(),
                                    [](const RunRecord* run) { return run->nothing_to_find(); });
      if (!mean || told || mean->count == group.counted.size()) continue;
      names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", column.title, mean->count);
    }
    if (names.empty()) continue;
    notes.push_back(fmt::format("{}: of {} runs, these scores are defined in fewer: {}.", group.label,
                                group.counted.size(), names));
  }
}

void note_versions(const std::vector<Group>& groups, std::vector<std::string>& notes) {
  for (const auto& group : groups) {
    if (group.versions.size() < 2) continue;
    std::string versions;
    for (const auto& version : group.versions)
      versions += (versions.empty() ? "" : ", ") + version;
    notes.push_back(
        fmt::format("{}: the mean is over runs of different versions of the program: {}.", group.label, versions));
  }
}

}  // namespace

const char* state_name(Ours::State state) {
  static constexpr const char* kNames[] = {"missing", "unfinished", "unscored", "found", "several"};
  return kNames[static_cast<int>(state)];
}

Comparison compare(PaperFigures paper, const std::vector<Group>& groups) {
  Comparison result;
  for (const auto& table : paper.tables) {
    auto& rows = result.ours.emplace_back();
    for (const auto& row : table.rows) {
      auto& cells = rows.emplace_back();
      for (const auto& method : paper.methods) {
        cells.push_back(ours_for(row.dataset, method.method, groups));
        if (cells.back().state == Ours::State::several)
          result.notes.push_back(several_note(row.dataset, method.method, cells.back()));
      }
    }
  }
  for (const auto& group : groups) {
    if (!group.counted.empty()) result.all.push_back(&group);
  }
  // Folders are called by hashes, which say nothing.
  std::stable_sort(result.all.begin(), result.all.end(),
                   [](const Group* a, const Group* b) { return a->label < b->label; });
  note_left_out(groups, result.notes);
  note_nothing_to_find(groups, result.notes);
  note_fewer(groups, result.notes);
  note_versions(groups, result.notes);
  result.paper = std::move(paper);
  return result;
}

}  // namespace nbs::report
