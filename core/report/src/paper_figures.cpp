// SPDX-License-Identifier: Apache-2.0
#include "paper_figures.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/error.h"

namespace nbs::report {

namespace {

using Json = nlohmann::ordered_json;

std::string needed_text(const Json& json, const char* key) {
  const bool has_text = json.is_object() && json.contains(key) && json.at(key).is_string();
  std::string text = has_text ? json.at(key).get<std::string>() : std::string();
  if (text.empty()) throw Error(fmt::format("an entry has no text \"{}\": {}", key, json.dump()));
  return text;
}

const Json& needed_list(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key) || !json.at(key).is_array() || json.at(key).empty())
    throw Error(fmt::format("the list \"{}\" is missing or empty", key));
  return json.at(key);
}

Printed printed_of(const Json& row, const std::string& method) {
  const auto found = row.find(method);
  if (found == row.end()) throw Error(fmt::format("the row has no figures for \"{}\": {}", method, row.dump()));
  if (found->is_null()) return std::nullopt;
  std::array<double, 3> figures{};
  if (!found->is_array() || found->size() != figures.size())
    throw Error(fmt::format("\"{}\" is not precision, recall, F1, nor null: {}", method, row.dump()));
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Json& figure = (*found)[i];
    if (!figure.is_number() || figure.get<double>() < 0 || figure.get<double>() > 1)
      throw Error(
          fmt::format("\"{}\" holds {}, which is no number from 0 to 1: {}", method, figure.dump(), row.dump()));
    figures[i] = figure.get<double>();
  }
  return figures;
}

PaperFigures parse(const std::string& text) {
  const Json json = Json::parse(text);
  PaperFigures figures;
  figures.source = needed_text(json, "source");
  for (const auto& entry : needed_list(json, "methods"))
    figures.methods.push_back({needed_text(entry, "method"), needed_text(entry, "name")});
  for (const auto& entry : needed_list(json, "tables")) {
    PaperTable table{needed_text(entry, "title"), {}};
    for (const auto& row : needed_list(entry, "rows")) {
      PaperRow read{needed_text(row, "dataset"), needed_text(row, "name"), {}};
      for (const auto& method : figures.methods)
        read.printed.push_back(printed_of(row, method.method));
      table.rows.push_back(std::move(read));
    }
    figures.tables.push_back(std::move(table));
  }
  return figures;
}

}  // namespace

PaperFigures read_paper_figures(const std::filesystem::path& file) {
  try {
    return parse(read_file(file));
  } catch (const std::exception& error) {
    throw Error(
        fmt::format("the paper's figures cannot be read from {}: {}; it is pipelines/paper_tables.json of the "
                    "sources, and share/nbs/pipelines/paper_tables.json of an installation",
                    file.string(), error.what()));
  }
}

}  // namespace nbs::report
