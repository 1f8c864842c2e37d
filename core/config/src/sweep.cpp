// SPDX-License-Identifier: Apache-2.0
#include "nbs/config/sweep.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/names.h"

namespace nbs::config {

namespace {

using Choice = std::vector<std::pair<std::string, Node>>;  // path and value

std::string value_text(const Node& node) {
  if (node.type == Node::Type::table) return "{…}";
  if (node.type == Node::Type::array) {
    std::string text;
    for (const auto& item : node.array)
      text += (text.empty() ? "" : ", ") + value_text(item);
    return "[" + text + "]";
  }
  if (const auto* text = std::get_if<std::string>(&node.scalar)) return *text;
  return to_text(node.scalar);
}

bool equal(const Node& a, const Node& b) {
  if (a.type != b.type || a.type == Node::Type::table) return false;
  if (a.type == Node::Type::scalar) return a.scalar == b.scalar;
  return std::equal(a.array.begin(), a.array.end(), b.array.begin(), b.array.end(), equal);
}

bool lists_only(const Node& table, const char* what, std::vector<Problem>& problems) {
  bool good = table.type == Node::Type::table;
  if (!good) problems.push_back({table.place, fmt::format("{} must be a table of lists", what)});
  for (const auto& [path, values] : table.table) {
    if (values.type == Node::Type::array && !values.array.empty()) continue;
    const char* advice = values.type == Node::Type::table ? "; quote names with dots: \"sampler.plugin\" = […]" : "";
    problems.push_back(
        {values.place, fmt::format("{} of the sweep must be a list with at least one value{}", path, advice)});
    good = false;
  }
  return good;
}

// Every entry of exclude is a table, and what it names is swept over.
void check_exclude(const Node& exclude, const Choice& swept, std::vector<Problem>& problems) {
  std::vector<std::string> paths;
  for (const auto& [path, value] : swept)
    paths.push_back(path);
  for (const auto& entry : exclude.array) {
    if (entry.table.empty()) {
      problems.push_back({entry.place, "an entry of exclude must be a table such as { \"sampler.plugin\" = \"rl\" }"});
    }
    for (const auto& [path, value] : entry.table) {
      if (std::find(paths.begin(), paths.end(), path) != paths.end()) continue;
      problems.push_back({value.place, fmt::format("exclude names {}, which is neither in grid nor in zip{}", path,
                                                   did_you_mean(path, paths))});
    }
  }
}

// The sweep's values come last, so an override of the same option would be lost.
void check_overrides(const Document& document, const Node& sweep, std::vector<Problem>& problems) {
  for (const char* part : {"grid", "zip"}) {
    const Node* const lists = sweep.find(part);
    if (lists == nullptr) continue;
    for (const auto& [path, values] : lists->table) {
      const Node* const held = document.find(path);
      if (held == nullptr || held->place.line != 0) continue;
      problems.push_back({held->place, fmt::format("[sweep.{0}] sets {1} too, and its values would replace this one; "
                                                   "add --set sweep.{0}={{}} to run without these lists",
                                                   part, path)});
    }
  }
}

bool matches(const Choice& choice, const Node& exclusion) {
  return std::all_of(exclusion.table.begin(), exclusion.table.end(), [&](const auto& wanted) {
    return std::any_of(choice.begin(), choice.end(), [&](const auto& made) {
      return made.first == wanted.first && equal(made.second, wanted.second);
    });
  });
}

}  // namespace

std::vector<Cell> expand(const Document& document) {
  const Node* const sweep = document.root().find("sweep");
  if (sweep == nullptr) return {{"", document}};
  if (sweep->type != Node::Type::table)
    throw ProblemsError({{sweep->place, "sweep must be a table: write [sweep] or [sweep.grid]"}});
  std::vector<Problem> problems;
  std::vector<Choice> choices = {{}};
  const Node* excludes = nullptr;
  for (const auto& [key, node] : sweep->table) {
    if (key == "grid" && lists_only(node, "grid", problems)) {
      for (const auto& [path, values] : node.table) {
        std::vector<Choice> product;
        for (const auto& choice : choices) {
          for (const auto& value : values.array) {
            product.push_back(choice);
            product.back().emplace_back(path, value);
          }
        }
        choices = std::move(product);
      }
    } else if (key == "zip" && lists_only(node, "zip", problems)) {
      std::size_t length = 0;
      for (const auto& [path, values] : node.table) {
        if (length != 0 && values.array.size() != length) {
          problems.push_back(
              {values.place, fmt::format("the lists of zip must have one length, but {} has {} values and one "
                                         "before it has {}",
                                         path, values.array.size(), length)});
        }
        length = std::max(length, values.array.size());
      }
      if (!problems.empty() || length == 0) continue;
      std::vector<Choice> product;
      for (const auto& choice : choices) {
        for (std::size_t i = 0; i < length; ++i) {
          product.push_back(choice);
          for (const auto& [path, values] : node.table)
            product.back().emplace_back(path, values.array[i]);
        }
      }
      choices = std::move(product);
    } else if (key == "exclude" && node.type == Node::Type::array) {
      excludes = &node;
    } else if (key == "exclude") {
      problems.push_back({node.place, "exclude must be a list of tables"});
    } else if (key != "grid" && key != "zip") {
      problems.push_back({node.place, fmt::format("[sweep] has grid, zip and exclude, but no \"{}\"{}", key,
                                                  did_you_mean(key, {"grid", "zip", "exclude"}))});
    }
  }
  if (problems.empty()) {
    for (const auto& [path, value] : choices.front()) {
      const auto same = [&name = path](const auto& item) { return item.first == name; };
      if (std::count_if(choices.front().begin(), choices.front().end(), same) > 1) {
        problems.push_back({value.place, fmt::format("{} is in grid and in zip; keep one of them", path)});
        break;
      }
    }
    if (excludes != nullptr) check_exclude(*excludes, choices.front(), problems);
    check_overrides(document, *sweep, problems);
  }
  if (!problems.empty()) throw ProblemsError(std::move(problems));
  std::vector<Cell> cells;
  for (const auto& choice : choices) {
    const bool excluded = excludes != nullptr && std::any_of(excludes->array.begin(), excludes->array.end(),
                                                             [&](const Node& table) { return matches(choice, table); });
    if (excluded) continue;
    Cell cell{"", document};
    for (const auto& [path, value] : choice)
      cell.label += (cell.label.empty() ? "" : ", ") + path + "=" + value_text(value);
    for (const bool plugins : {true, false}) {
      for (const auto& [path, value] : choice) {
        if (names_plugin(path) == plugins) cell.document.set(path, value);
      }
    }
    cell.document.remove("sweep");
    cells.push_back(std::move(cell));
  }
  if (cells.empty()) throw ProblemsError({{sweep->place, "[sweep] excludes all of its cells; nothing would run"}});
  return cells;
}

}  // namespace nbs::config
