// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "differences.h"
#include "folder_sections.h"
#include "html.h"

namespace nbs::report {

namespace {

// Each pipeline may be the baseline, as long as the page stays small.
constexpr std::size_t kMostRows = 2000;
constexpr double kIntervalWidth = 160;

struct ComparedGroup {
  const Group* group = nullptr;
  Difference difference;
};

// "+0.031", with a true minus sign.
std::string signed_text(double value) {
  const auto text = number_text(std::abs(value));
  return (value < 0 ? "−" : "+") + text;
}

// The interval between -most and most, with a line at 0.
std::string interval_drawing(const Difference& difference, double most) {
  const auto across = [&](double value) { return (value / most + 1) / 2 * (kIntervalWidth - 8) + 4; };
  std::string out = fmt::format(
      "<svg class=\"interval\" viewBox=\"0 0 {0} 16\" aria-hidden=\"true\"><line class=\"zero\" x1=\"{1:.1f}\" "
      "x2=\"{1:.1f}\" y1=\"0\" y2=\"16\"/>",
      kIntervalWidth, across(0));
  if (difference.interval) {
    out += fmt::format("<line class=\"range\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"8\" y2=\"8\"/>",
                       across(difference.interval->low), across(difference.interval->high));
  }
  return out + fmt::format("<circle class=\"mean\" cx=\"{:.1f}\" cy=\"8\" r=\"3\"/></svg>", across(difference.mean));
}

double reach_of(const std::vector<ComparedGroup>& compared) {
  double most = 0.01;
  for (const auto& [group, difference] : compared) {
    most = std::max(most, std::abs(difference.mean));
    if (difference.interval)
      most = std::max({most, std::abs(difference.interval->low), std::abs(difference.interval->high)});
  }
  return most;
}

std::string baseline_table(const Group& baseline, const std::vector<ComparedGroup>& compared, bool shown) {
  const double most = reach_of(compared);
  std::vector<Row> rows;
  for (const auto& [group, difference] : compared) {
    Row row;
    row.cells = {text_cell(group->label),
                 {std::to_string(difference.splits), true, false},
                 {signed_text(difference.mean), true, false, difference.mean},
                 difference.interval
                     ? Cell{signed_text(difference.interval->low) + " to " + signed_text(difference.interval->high),
                            true, false, difference.interval->low}
                     : Cell{"–", true, false},
                 {interval_drawing(difference, most), false, false}};
    rows.push_back(std::move(row));
  }
  return fmt::format(
      "<div class=\"differences\" data-baseline=\"{0}\"{1}>\n<p>Baseline: <b>{0}</b></p>\n{2}</div>\n",
      escaped(baseline.label), shown ? "" : " hidden=\"\"",
      sortable_table(
          {{"Pipeline"}, {"Common splits", true}, {"Difference of F1", true}, {"Interval", true}, {"From 0"}}, rows));
}

}  // namespace

std::string difference_section(const std::vector<const Group*>& groups) {
  // First what most can be compared with; of equals, what is first on the page.
  auto baselines = groups;
  std::stable_sort(baselines.begin(), baselines.end(),
                   [](const Group* a, const Group* b) { return a->counted.size() > b->counted.size(); });
  std::string tables;
  std::size_t rows = 0;
  std::size_t left_out = 0;
  for (const Group* baseline : baselines) {
    if (rows >= kMostRows) {
      ++left_out;
      continue;
    }
    std::vector<ComparedGroup> compared;
    for (const Group* group : groups) {
      if (group == baseline) continue;
      if (const auto difference = paired_difference(*group, *baseline)) compared.push_back({group, *difference});
    }
    if (compared.empty()) continue;
    tables += baseline_table(*baseline, compared, rows == 0);
    rows += compared.size();
  }
  if (tables.empty()) return {};
  return "<h2>Differences to a baseline</h2>\n<p class=\"soft\">F1 less that of the baseline, in the mean over the "
         "splits (data.split_seed) that both were run on; a split counts once, with its mean over the seeds. An "
         "interval "
         "that does not reach 0 speaks of a difference that other splits would show, too: the splits were drawn anew, "
         "with repetition, 2,000 times, and the ends between which nine of ten of these means lie were moved apart, as "
         "so "
         "few splits ask for (Student's t). With few splits it is rough.</p>\n" +
         (left_out == 0 ? std::string()
                        : fmt::format("<p class=\"remark\">{} more pipelines are not offered as baselines, to keep the "
                                      "page small.</p>\n",
                                      left_out)) +
         tables;
}

}  // namespace nbs::report
