// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "comparison.h"
#include "numbers.h"
#include "summary.h"

// The tables for programs: CSV and JSON, with all digits.

namespace nbs::report {

namespace {

std::string printed_csv(const Printed& printed) {
  if (!printed) return ",,";
  return fmt::format("{},{},{}", (*printed)[0], (*printed)[1], (*printed)[2]);
}

std::string group_csv(const Group* group) {
  std::string out = group == nullptr ? ",0" : fmt::format("{},{}", csv_text(group->label), group->counted.size());
  for (const auto& column : score_columns()) {
    const auto value = group == nullptr ? std::nullopt : group->score(column.key);
    out += "," + csv_number(value ? std::optional<double>(value->mean) : std::nullopt);
    out += "," + csv_number(value ? value->deviation : std::nullopt);
  }
  return out;
}

Json printed_json(const Printed& printed) {
  if (!printed) return nullptr;
  return {{"precision", (*printed)[0]}, {"recall", (*printed)[1]}, {"f1", (*printed)[2]}};
}

Json group_json(const Group& group) {
  Json json = {{"pipeline", group.label}, {"dataset", group.dataset}, {"method", group.method}};
  json["runs"] = group.counted.size();
  for (const auto& column : score_columns()) {
    const auto value = group.score(column.key);
    if (!value) {
      json[column.name] = nullptr;
      continue;
    }
    json[column.name] = {{"mean", value->mean}, {"runs", value->count}};
    if (value->deviation) {
      json[column.name]["deviation"] = *value->deviation;
    } else {
      json[column.name]["deviation"] = nullptr;
    }
  }
  return json;
}

}  // namespace

std::string as_csv(const Comparison& comparison) {
  std::string out = "table,dataset,method,paper_precision,paper_recall,paper_f1,state,pipeline,runs";
  for (const auto& column : score_columns())
    out += fmt::format(",{0}_mean,{0}_deviation", column.name);
  out += "\n";
  const auto& paper = comparison.paper;
  std::vector<const Group*> written;
  for (std::size_t t = 0; t < paper.tables.size(); ++t) {
    for (std::size_t r = 0; r < paper.tables[t].rows.size(); ++r) {
      const auto& row = paper.tables[t].rows[r];
      for (std::size_t m = 0; m < paper.methods.size(); ++m) {
        const Ours& ours = comparison.ours[t][r][m];
        const std::string head =
            fmt::format("{},{},{},{},{}", csv_text(paper.tables[t].title), csv_text(row.dataset),
                        csv_text(paper.methods[m].method), printed_csv(row.printed[m]), state_name(ours.state));
        if (ours.groups.empty()) out += head + "," + group_csv(nullptr) + "\n";
        for (const Group* group : ours.groups)
          out += head + "," + group_csv(group) + "\n";
        written.insert(written.end(), ours.groups.begin(), ours.groups.end());
      }
    }
  }
  for (const Group* group : comparison.all) {
    if (std::find(written.begin(), written.end(), group) != written.end()) continue;
    out += fmt::format(",{},{},,,,found,{}\n", csv_text(group->dataset), csv_text(group->method), group_csv(group));
  }
  return out;
}

std::string as_json(const Comparison& comparison) {
  // Names of folders may hold bytes that are no UTF-8; JSON cannot.
  const auto& paper = comparison.paper;
  Json json = {{"source", paper.source}};
  auto& tables = json["tables"] = Json::array();
  for (std::size_t t = 0; t < paper.tables.size(); ++t) {
    Json table = {{"title", paper.tables[t].title}, {"rows", Json::array()}};
    for (std::size_t r = 0; r < paper.tables[t].rows.size(); ++r) {
      const auto& row = paper.tables[t].rows[r];
      Json entry = {{"dataset", row.dataset}, {"name", row.name}, {"methods", Json::array()}};
      for (std::size_t m = 0; m < paper.methods.size(); ++m) {
        const Ours& ours = comparison.ours[t][r][m];
        Json cell = {{"method", paper.methods[m].method}, {"paper", printed_json(row.printed[m])}};
        cell["state"] = state_name(ours.state);
        cell["ours"] = Json::array();
        for (const Group* group : ours.groups)
          cell["ours"].push_back(group_json(*group));
        entry["methods"].push_back(std::move(cell));
      }
      table["rows"].push_back(std::move(entry));
    }
    tables.push_back(std::move(table));
  }
  auto& results = json["results"] = Json::array();
  for (const Group* group : comparison.all)
    results.push_back(group_json(*group));
  json["notes"] = comparison.notes;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nbs::report
