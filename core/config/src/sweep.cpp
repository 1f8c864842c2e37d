// SPDX-License-Identifier: Apache-2.0
#include "nbs/config/sweep.h"

#include <algorithm>

#include <fmt/format.h>

namespace nbs::config {

namespace {

using Choice = std::vector<std::pair<std::string, Node>>;  // path and value

std::string value_text(const Node& node) {
  if (node.type != Node::Type::scalar) return "…";
  if (const auto* text = std::get_if<std::string>(&node.scalar)) return *text;
  return to_text(node.scalar);
}

bool equal(const Node& a, const Node& b) {
  return a.type == Node::Type::scalar && b.type == Node::Type::scalar && a.scalar == b.scalar;
}

bool lists_only(const Node& table, const char* what, std::vector<Problem>& problems) {
  bool good = table.type == Node::Type::table;
  if (!good) problems.push_back({table.place, fmt::format("{} must be a table of lists", what)});
  for (const auto& [path, values] : table.table) {
    if (values.type == Node::Type::array && !values.array.empty()) continue;
    problems.push_back({values.place, fmt::format("{} of the sweep must be a list with at least one value", path)});
    good = false;
  }
  return good;
}

bool matches(const Choice& choice, const Node& exclusion) {
  if (exclusion.table.empty()) return false;
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
      if (!problems.empty()) continue;
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
    } else if (key != "grid" && key != "zip") {
      problems.push_back(
          {node.place, fmt::format("[sweep] has grid, zip and exclude (a list of tables), but no such \"{}\"", key)});
    }
  }
  if (!problems.empty()) throw ProblemsError(std::move(problems));
  std::vector<Cell> cells;
  for (const auto& choice : choices) {
    const bool excluded = excludes != nullptr && std::any_of(excludes->array.begin(), excludes->array.end(),
                                                             [&](const Node& table) { return matches(choice, table); });
    if (excluded) continue;
    Cell cell{"", document};
    for (const auto& [path, value] : choice) {
      cell.label += (cell.label.empty() ? "" : ", ") + path + "=" + value_text(value);
      cell.document.set(path, value);
    }
    cell.document.remove("sweep");
    cells.push_back(std::move(cell));
  }
  if (cells.empty()) throw ProblemsError({{sweep->place, "[sweep] excludes all of its cells; nothing would run"}});
  return cells;
}

}  // namespace nbs::config
