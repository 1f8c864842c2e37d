// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "comparison.h"
#include "grid.h"
#include "html.h"
#include "numbers.h"
#include "summary.h"

// The tables for people: text and Markdown. Two decimals, as the paper prints.

namespace nbs::report {

namespace {

constexpr const char* kDash = "–";
constexpr int kDigits = 2;

// "0.41±0.02": narrow, since nine of them stand side by side.
std::string narrow(const std::optional<Statistic>& value) {
  if (!value) return kDash;
  if (!value->deviation) return number_text(value->mean, kDigits);
  return number_text(value->mean, kDigits) + "±" + number_text(*value->deviation, kDigits);
}

void add_paper_cells(std::vector<std::string>& row, const Printed& printed) {
  for (std::size_t i = 0; i < 3; ++i)
    row.push_back(printed ? fmt::format("{:.{}f}", (*printed)[i], kDigits) : "N/A");
  row.emplace_back();
}

void add_our_cells(std::vector<std::string>& row, const Ours& ours) {
  if (const Group* group = ours.group()) {
    for (const char* key : {"precision", "recall", "f1"})
      row.push_back(narrow(group->score(key)));
    const auto f1 = group->score("f1");
    row.push_back(std::to_string(f1 ? f1->count : 0));
  } else {
    row.insert(row.end(), {kDash, kDash, state_name(ours.state), ""});
  }
}

Grid paper_grid(const Comparison& comparison, std::size_t index, bool method_in_head) {
  const auto& table = comparison.paper.tables[index];
  Grid grid;
  grid.left = 2;
  grid.above.emplace_back("", 2);
  std::vector<std::string> heads = {"Data set", ""};
  for (const auto& method : comparison.paper.methods) {
    heads.push_back(method_in_head ? method.name + ": precision" : "P");
    heads.push_back(method_in_head ? "recall" : "R");
    heads.emplace_back("F1");
    heads.push_back(method_in_head ? "runs" : "n");
    grid.above.emplace_back(method.name, 4);
  }
  grid.rows.push_back(std::move(heads));
  for (std::size_t k = 0; k < table.rows.size(); ++k) {
    std::vector<std::string> paper = {table.rows[k].name, "paper"};
    std::vector<std::string> ours = {"", "ours"};
    for (std::size_t m = 0; m < comparison.paper.methods.size(); ++m) {
      add_paper_cells(paper, table.rows[k].printed[m]);
      add_our_cells(ours, comparison.ours[index][k][m]);
    }
    grid.rows.push_back(std::move(paper));
    grid.rows.push_back(std::move(ours));
  }
  return grid;
}

Grid all_grid(const Comparison& comparison, bool brief) {
  Grid grid;
  std::vector<std::string> heads = {"Pipeline", "Runs"};
  for (const auto& column : score_columns())
    heads.emplace_back(brief ? column.brief : column.title);
  grid.rows.push_back(std::move(heads));
  for (const Group* group : comparison.all) {
    std::vector<std::string> row = {group->label, std::to_string(group->counted.size())};
    for (const auto& column : score_columns())
      row.push_back(narrow(group->score(column.key)));
    grid.rows.push_back(std::move(row));
  }
  return grid;
}

std::string explanation(const Comparison& comparison) {
  return "paper: figures printed in " + comparison.paper.source +
         ". ours: pooled pixels of the unlabelled images, mean ± sample standard deviation over n finished runs.";
}

constexpr const char* kAllTitle = "All our results";
constexpr const char* kOracle = "The oracle's threshold is chosen on the scored masks: an upper bound, not a result.";

}  // namespace

std::string as_text(const Comparison& comparison) {
  std::string out;
  for (std::size_t i = 0; i < comparison.paper.tables.size(); ++i)
    out += comparison.paper.tables[i].title + "\n" + text_of(paper_grid(comparison, i, false)) + "\n";
  out += explanation(comparison) + "\n";
  if (!comparison.all.empty())
    out += std::string("\n") + kAllTitle + "\n" + text_of(all_grid(comparison, true)) + "\n" + kOracle + "\n";
  for (const auto& note : comparison.notes)
    out += note + "\n";
  return out;
}

std::string as_markdown(const Comparison& comparison) {
  std::string out;
  for (std::size_t i = 0; i < comparison.paper.tables.size(); ++i)
    out += "**" + comparison.paper.tables[i].title + "**\n\n" + markdown_of(paper_grid(comparison, i, true)) + "\n";
  out += explanation(comparison) + "\n";
  if (!comparison.all.empty()) {
    out +=
        std::string("\n**") + kAllTitle + "**\n\n" + markdown_of(all_grid(comparison, false)) + "\n" + kOracle + "\n";
  }
  for (const auto& note : comparison.notes)
    out += "\n" + markdown_text(note) + "\n";
  return out;
}

}  // namespace nbs::report
