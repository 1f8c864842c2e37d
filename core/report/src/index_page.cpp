// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "folder_sections.h"
#include "html.h"
#include "numbers.h"
#include "sections.h"
#include "summary.h"
#include "web_files.h"

namespace nbs::report {

namespace {

namespace fs = std::filesystem;

constexpr double kDotLeft = 12;
constexpr double kDotRight = 408;
constexpr double kDotWidth = 420;
constexpr double kDotHeight = 20;

// A damaged result may hold any number.
double across(double f1) {
  return kDotLeft + std::clamp(f1, 0.0, 1.0) * (kDotRight - kDotLeft);
}

std::string drawing(const std::string& label, const std::string& content) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>\n", kDotWidth, kDotHeight,
                     escaped(label), content);
}

// A dot for each run, a bar for the mean, a line as long as the deviation on both sides.
std::string dots_of(const Group& group, const Statistic& f1) {
  std::string out;
  for (const double tick : {0.0, 0.2, 0.4, 0.6, 0.8, 1.0})
    out += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1}\"/>", across(tick),
                       kDotHeight);
  const double spread = f1.deviation.value_or(0);
  out += fmt::format("<line class=\"c0\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"10\" y2=\"10\"/>", across(f1.mean - spread),
                     across(f1.mean + spread));
  out += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"3\" width=\"2\" height=\"14\"/>", across(f1.mean) - 1);
  for (const RunRecord* run : group.counted) {
    if (const auto own = run->score(record::Score::f1))
      out += fmt::format("<circle class=\"d1\" cx=\"{:.1f}\" cy=\"10\" r=\"2.5\"/>", across(*own));
  }
  return drawing("F1 " + mean_text(f1), out);
}

std::string dot_plot(const std::vector<const Group*>& groups) {
  std::string out =
      "<figure class=\"plot dots\"><figcaption><b>F1</b> of each run (dots), mean and standard "
      "deviation</figcaption>\n";
  for (const Group* group : groups) {
    if (const auto f1 = group->score(record::Score::f1))
      out += "<div>" + escaped(group->label) + "</div>" + dots_of(*group, *f1);
  }
  std::string axis;
  for (const double tick : {0.0, 0.2, 0.4, 0.6, 0.8, 1.0})
    axis += fmt::format("<text x=\"{:.1f}\" y=\"12\" text-anchor=\"middle\">{:.1f}</text>", across(tick), tick);
  return out + drawing("F1 from 0 to 1", axis) + "</figure>\n";
}

bool is_number(const RunRecord& run, const std::string& option) {
  const Value* value = run.option(option);
  return value != nullptr && (std::holds_alternative<std::int64_t>(*value) || std::holds_alternative<double>(*value));
}

// An upper bound that is chosen on the masks themselves is nothing to be best in.
bool is_ranked(record::Score score) {
  return score != record::Score::oracle_f1 && score != record::Score::oracle_f1_before_postproc;
}

std::string group_table(const std::vector<const Group*>& groups) {
  std::vector<Column> columns = {{"Pipeline"}, {"Runs", true}};
  for (const auto& column : record::score_infos())
    columns.push_back({column.brief, true, is_ranked(column.score)});
  columns.push_back({"Time", true});
  std::vector<Row> rows;
  for (const Group* group : groups) {
    std::string runs = fmt::format("{}", group->counted.size());
    if (group->counted.size() < group->runs.size()) runs += fmt::format(" of {}", group->runs.size());
    std::string label = escaped(group->label);
    if (group->versions.size() > 1) {
      label += "<br><span class=\"soft\">from different versions of the program:";
      for (const auto& version : group->versions)
        label += " " + escaped(version);
      label += "</span>";
    }
    std::vector<Cell> row = {{label, false, false}, {runs, true, false}};
    for (const auto& column : record::score_infos())
      row.push_back({escaped(mean_text(group->score(column.score))), true, column.score == record::Score::f1});
    std::vector<double> seconds;
    for (const RunRecord* run : group->counted) {
      if (const auto total = run->total_seconds()) seconds.push_back(*total);
    }
    const auto time = statistic(seconds);
    row.push_back({time ? escaped(seconds_text(time->mean)) : "–", true, false,
                   time ? std::optional<double>(time->mean) : std::nullopt});
    rows.push_back({std::move(row)});
  }
  return sortable_table(columns, rows);
}

std::string run_table(const fs::path& folder, const std::vector<RunRecord>& records,
                      const std::vector<std::string>& options, const LearningCurves& curves) {
  std::vector<Row> rows;
  const auto integer_cell = [](const std::optional<std::int64_t>& value) {
    return Cell{value ? std::to_string(*value) : std::string(), true, false};
  };
  for (const auto& run : records) {
    const std::string place = place_below(folder, run);
    const bool is_folder = fs::is_directory(run.folder);
    std::string name = fmt::format("<a href=\"{}\">{}</a>", link_to(is_folder ? place + "/report.html" : place),
                                   escaped(place == "." ? run.name : place));
    std::vector<Cell> row = {{name, false, false}, {state_label(run), false, false}};
    if (run.state != RunRecord::State::finished)
      row.back().html += "<div class=\"soft wide\">" + escaped(standing(run)) + "</div>";
    if (const auto remark = score_remark(run); !remark.empty())
      row.back().html += "<div class=\"soft wide\">" + escaped(remark) + "</div>";
    for (const auto& remark : run.remarks)
      row.back().html += "<div class=\"soft wide\">" + escaped(remark) + "</div>";
    row.push_back(integer_cell(run.seed));
    row.push_back(integer_cell(run.split_seed));
    for (const auto& option : options)
      row.push_back({escaped(option_text(run, option)), is_number(run, option), false});
    for (const auto& column : record::score_infos())
      row.push_back(number_cell(run.score(column.score)));
    const auto index = rows.size();
    rows.push_back(
        {std::move(row), run.counts(), curves.has(index) ? fmt::format(" data-curves=\"{}\"", index) : std::string()});
  }
  std::vector<Column> columns = {{"Run"}, {"State"}, {"Seed", true}, {"Split", true}};
  for (const auto& option : options) {
    const bool numbers =
        std::any_of(records.begin(), records.end(), [&](const RunRecord& run) { return is_number(run, option); });
    columns.push_back({option, numbers});
  }
  for (const auto& column : record::score_infos())
    columns.push_back({column.brief, true, is_ranked(column.score)});
  return sortable_table(columns, rows, true, " id=\"runs\"");
}

// The best run of each of the first pipelines.
std::vector<std::size_t> first_curves(const std::vector<const Group*>& order, const std::vector<RunRecord>& records,
                                      const LearningCurves& curves) {
  constexpr std::size_t kMostFirst = 5;
  std::vector<std::size_t> first;
  for (const Group* group : order) {
    std::optional<std::size_t> best;
    for (const RunRecord* run : group->runs) {
      const auto index = static_cast<std::size_t>(run - records.data());
      if (!curves.has(index)) continue;
      const auto f1 = [&](std::size_t i) { return records[i].score(record::Score::f1).value_or(-1); };
      if (!best || f1(index) > f1(*best)) best = index;
    }
    if (best && first.size() < kMostFirst) first.push_back(*best);
  }
  return first;
}

}  // namespace

std::string index_page(const fs::path& folder, const std::vector<RunRecord>& records, const std::vector<Group>& groups,
                       const std::vector<std::string>& options, const LearningCurves& curves) {
  // The best first within a data set; what has no score yet last.
  std::vector<const Group*> order;
  order.reserve(groups.size());
  for (const auto& group : groups)
    order.push_back(&group);
  const auto mean_f1 = [](const Group* group) {
    const auto f1 = group->score(record::Score::f1);
    return f1 ? f1->mean : -1.0;
  };
  std::stable_sort(order.begin(), order.end(), [&](const Group* a, const Group* b) {
    if (a->dataset != b->dataset) return a->dataset < b->dataset;
    return mean_f1(a) > mean_f1(b);
  });
  std::vector<const Group*> scored;
  std::copy_if(order.begin(), order.end(), std::back_inserter(scored), [&](const Group* g) { return mean_f1(g) >= 0; });

  std::string name = fs::absolute(folder).lexically_normal().filename().string();
  if (name.empty()) name = fs::absolute(folder).lexically_normal().parent_path().filename().string();
  std::string body = fmt::format(
      "<header><h1>{}</h1>\n<p class=\"soft\">{}. Also as <a href=\"summary.csv\">CSV</a> and "
      "<a href=\"summary.md\">Markdown</a>.</p></header>\n",
      escaped(name), escaped(counts_text(records)));
  body +=
      "<h2>Pipelines</h2>\n<p class=\"soft\">Runs that differ in nothing but name and seeds, together: mean ± sample "
      "standard deviation of the finished ones. Oracle: F1 at a threshold chosen on the scored masks, an upper bound "
      "and no result. F1 2 px and 5 px: with that tolerance between prediction and truth; image F1: mean over the "
      "images; AP: average precision; image AUROC: anomalous against normal images. A star marks the best of a column; "
      "a "
      "click on a head sorts.</p>\n";
  body += group_table(order);
  if (!scored.empty()) body += dot_plot(scored);
  body += difference_section(order) + option_charts(order) + curves.section(first_curves(order, records, curves));
  body += "<h2>Runs</h2>\n" + run_table(folder, records, options, curves);
  return page(name, body, {kChartScript, kTableScript, kCompareScript});
}

}  // namespace nbs::report
