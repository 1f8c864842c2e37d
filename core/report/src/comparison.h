// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "paper_figures.h"
#include "statistics.h"

namespace nbs::report {

/// What we have for one figure of the paper.
struct Ours {
  enum class State {
    missing,     ///< no run at all
    unfinished,  ///< runs, but none that is finished
    unscored,    ///< finished runs, but nothing could be scored
    found,
    several  ///< different pipelines carry the same labels: not averaged
  };
  State state = State::missing;
  std::vector<const Group*> groups;  ///< one if found, more if several

  /// The group if there is exactly one.
  const Group* group() const { return state == State::found ? groups.front() : nullptr; }
};

/// "missing", "unfinished", "unscored", "found", "several".
const char* state_name(Ours::State state);

/// Our results beside the paper's figures. Refers to the groups, which must outlive it.
struct Comparison {
  PaperFigures paper;
  std::vector<std::vector<std::vector<Ours>>> ours;  ///< by table, row and method, as in the paper's figures
  std::vector<const Group*> all;                     ///< every group with a run that counts
  std::vector<std::string> notes;                    ///< sentences: what was left out, and why
};

Comparison compare(PaperFigures paper, const std::vector<Group>& groups);

// The four formats.
std::string as_text(const Comparison& comparison);
std::string as_markdown(const Comparison& comparison);
std::string as_csv(const Comparison& comparison);
std::string as_json(const Comparison& comparison);

}  // namespace nbs::report
