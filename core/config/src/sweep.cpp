// SPDX-License-Identifier: Apache-2.0
#include "nbs/config/sweep.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "nbs/base/names.h"

#include "text.h"

namespace nbs::config {

namespace {

// More runs than anybody waits for; memory is taken for each before the first starts.
constexpr std::size_t kMostCells = 10000;
constexpr std::size_t kMostOptions = 100;
constexpr std::size_t kMostExclusions = 10000;
// Values of all cells together; about a gigabyte.
constexpr std::size_t kMostValues = 5000000;

// One option that is swept over, and its values.
struct Axis {
  const std::string* path;
  const Node* values;
};

// What varies by itself: one list of the grid, or all lists of the zip in step.
struct Dimension {
  std::vector<Axis> axes;
  std::size_t length = 0;
};

std::string value_text(const Node& node) {
  if (node.type == Node::Type::table) {
    const auto* const plugin = node.find("plugin");
    if (plugin == nullptr || !std::holds_alternative<std::string>(plugin->scalar)) return "{…}";
    return "{" + std::get<std::string>(plugin->scalar) + (node.table.size() > 1 ? ", …}" : "}");
  }
  if (node.type == Node::Type::array) {
    std::string text;
    for (const auto& item : node.array)
      text += (text.empty() ? "" : ", ") + value_text(item);
    return "[" + text + "]";
  }
  if (const auto* text = std::get_if<std::string>(&node.scalar)) return *text;
  return to_text(node.scalar);
}

// Equal values and no others have one text; empty for tables, which no exclusion names.
std::string identity(const Node& node) {
  if (node.type == Node::Type::table) return "";
  if (node.type == Node::Type::scalar) return to_text(node.scalar);  // also tells the types apart: 1, 1.0, "1"
  std::string text = "[";
  for (const auto& item : node.array) {
    const auto one = identity(item);
    if (one.empty()) return "";
    text += fmt::format("{}:{},", one.size(), one);
  }
  return text + "]";
}

bool lists_only(const Node& table, const char* what, std::vector<Diagnostic>& problems) {
  bool good = table.type == Node::Type::table;
  if (!good) problems.push_back({table.place, fmt::format("{} must be a table of lists", what)});
  for (const auto& [path, values] : table.table) {
    if (values.type == Node::Type::array && !values.array.empty()) continue;
    const char* advice = values.type == Node::Type::table ? "; quote names with dots: \"sampler.plugin\" = […]" : "";
    problems.push_back(
        {values.place, fmt::format("{} of the sweep must be a list with at least one value{}", shown(path), advice)});
    good = false;
  }
  if (table.table.size() > kMostOptions) {
    problems.push_back({table.place, fmt::format("{} lists {} options, but a sweep goes through at most {}", what,
                                                 table.table.size(), kMostOptions)});
    good = false;
  }
  return good;
}

// What is swept over must be an option of a run, and each only once.
void check_axes(const std::vector<Dimension>& dimensions, std::vector<Diagnostic>& problems) {
  std::vector<std::pair<std::vector<std::string>, const Axis*>> before;
  for (const auto& dimension : dimensions) {
    for (const auto& axis : dimension.axes) {
      const auto report = [&](std::string message) {
        problems.push_back({axis.values->array.front().place, std::move(message)});
      };
      if (const auto problem = problem_with_path(*axis.path)) {
        report(fmt::format("the name \"{}\" {}", shown(*axis.path), *problem));
        continue;
      }
      const auto keys = keys_of(*axis.path);
      if (keys.front() == "base")
        report("a sweep cannot go through base, as bases are read before it; write one file for each");
      if (keys.front() == "sweep") report("a sweep cannot go through [sweep] itself");
      for (const auto& [other, first] : before) {
        if (other == keys) {
          problems.push_back({first->values->array.front().place,
                              fmt::format("{} is in grid and in zip; keep one of them", *axis.path)});
        } else if (std::equal(keys.begin(),
                              keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), other.size())),
                              other.begin())) {
          report(fmt::format("{} and {} set the same values twice; keep one of them", *first->path, *axis.path));
        }
      }
      before.emplace_back(keys, &axis);
    }
  }
}

// Every entry of exclude is a table, and what it names is swept over.
void check_exclude(const Node& exclude, const std::vector<Dimension>& dimensions, std::vector<Diagnostic>& problems) {
  if (exclude.array.size() > kMostExclusions) {
    problems.push_back(
        {exclude.place, fmt::format("exclude has {} entries, more than {}; leave values out of the lists",
                                    exclude.array.size(), kMostExclusions)});
    return;
  }
  std::vector<std::string> paths;
  for (const auto& dimension : dimensions) {
    for (const auto& axis : dimension.axes)
      paths.push_back(*axis.path);
  }
  for (const auto& entry : exclude.array) {
    if (entry.table.empty()) {
      problems.push_back({entry.place, "an entry of exclude must be a table such as { \"sampler.plugin\" = \"rl\" }"});
    }
    for (const auto& [path, value] : entry.table) {
      if (std::find(paths.begin(), paths.end(), path) != paths.end()) continue;
      problems.push_back({value.place, fmt::format("exclude names {}, which is neither in grid nor in zip{}",
                                                   shown(path), did_you_mean(path, paths))});
    }
  }
}

// The sweep's values come last, so an override of the same option would be lost.
void check_overrides(const Document& document, const Node& sweep, std::vector<Diagnostic>& problems) {
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

// Tells the cells that exclude takes out. Values are numbered, so that a cell is compared by integers.
class Exclusions {
 public:
  Exclusions(const Node* exclude, const std::vector<Dimension>& dimensions) {
    if (exclude == nullptr || exclude->array.empty()) return;
    std::unordered_map<std::string, std::pair<std::size_t, std::size_t>> axes;  // by path: dimension, axis
    std::vector<std::unordered_map<std::string, int>> numbers;                  // of each axis, by identity
    for (std::size_t d = 0; d < dimensions.size(); ++d) {
      for (const auto& axis : dimensions[d].axes) {
        axes.emplace(*axis.path, std::make_pair(d, numbers.size()));
        numbers.emplace_back();
        numbers_of_.emplace_back();
        for (const auto& value : axis.values->array) {
          const auto text = identity(value);
          const int next = static_cast<int>(numbers.back().size());
          numbers_of_.back().push_back(text.empty() ? kNever : numbers.back().emplace(text, next).first->second);
        }
      }
    }
    for (const auto& entry : exclude->array) {
      std::vector<Wanted> wanted;
      for (const auto& [path, value] : entry.table) {
        const auto [dimension, axis] = axes.at(path);
        const auto number = numbers[axis].find(identity(value));
        wanted.push_back({dimension, axis, number == numbers[axis].end() ? kNowhere : number->second});
      }
      entries_.push_back(std::move(wanted));
    }
  }

  // `digits`: which value of each dimension the cell has.
  bool match(const std::vector<std::size_t>& digits) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const std::vector<Wanted>& entry) {
      return std::all_of(entry.begin(), entry.end(), [&](const Wanted& wanted) {
        return numbers_of_[wanted.axis][digits[wanted.dimension]] == wanted.number;
      });
    });
  }

 private:
  static constexpr int kNever = -1;    // of a value that no exclusion can name
  static constexpr int kNowhere = -2;  // of an exclusion that no value is equal to
  struct Wanted {
    std::size_t dimension;
    std::size_t axis;
    int number;
  };
  std::vector<std::vector<int>> numbers_of_;  // of each axis: the number of each of its values
  std::vector<std::vector<Wanted>> entries_;
};

std::size_t count_values(const Node& node) {
  std::size_t count = 1;
  for (const auto& item : node.array)
    count += count_values(item);
  for (const auto& item : node.table)
    count += count_values(item.second);
  return count;
}

// The number of cells, or the sentence that says why there are too many, before anything is made for them.
std::size_t count_cells(const std::vector<Dimension>& dimensions, const Document& bare, const SourceLocation& place) {
  std::uint64_t cells = 1;
  for (const auto& dimension : dimensions) {
    if (!__builtin_mul_overflow(cells, std::uint64_t{dimension.length}, &cells)) continue;
    cells = std::numeric_limits<std::uint64_t>::max();
    break;
  }
  if (cells > kMostCells) {
    const char* more = cells == std::numeric_limits<std::uint64_t>::max() ? "at least " : "";
    throw DiagnosticsError({{place, fmt::format("[sweep] makes {}{} cells (before exclude), more than {}; shorten its "
                                                "lists, take some in step with zip, or split the file",
                                                more, cells, kMostCells)}});
  }
  const std::size_t values = count_values(bare.root());
  if (cells > 1 && values * cells > kMostValues) {
    throw DiagnosticsError(
        {{place, fmt::format("[sweep] makes {} cells of a file with {} values, which together are more "
                             "than {}; shorten its lists or split the file",
                             cells, values, kMostValues)}});
  }
  return static_cast<std::size_t>(cells);
}

SweepCell make_cell(const std::vector<Dimension>& dimensions, const std::vector<std::size_t>& digits,
                    const Document& bare) {
  SweepCell cell{"", bare};
  for (const bool plugins : {true, false}) {
    for (std::size_t d = 0; d < dimensions.size(); ++d) {
      for (const auto& axis : dimensions[d].axes) {
        if (names_plugin(*axis.path) == plugins) cell.document.set(*axis.path, axis.values->array[digits[d]]);
      }
    }
  }
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    for (const auto& axis : dimensions[d].axes)
      cell.label +=
          (cell.label.empty() ? "" : ", ") + *axis.path + "=" + shown(value_text(axis.values->array[digits[d]]));
  }
  return cell;
}

}  // namespace

std::vector<SweepCell> expand(const Document& document) {
  const Node* const sweep = document.root().find("sweep");
  if (sweep == nullptr) return {{"", document}};
  if (sweep->type != Node::Type::table)
    throw DiagnosticsError({{sweep->place, "sweep must be a table: write [sweep] or [sweep.grid]"}});
  std::vector<Diagnostic> problems;
  std::vector<Dimension> dimensions;
  const Node* excludes = nullptr;
  for (const auto& [key, node] : sweep->table) {
    if (key == "grid" && lists_only(node, "grid", problems)) {
      for (const auto& [path, values] : node.table)
        dimensions.push_back({{{&path, &values}}, values.array.size()});
    } else if (key == "zip" && lists_only(node, "zip", problems)) {
      Dimension together;
      for (const auto& [path, values] : node.table) {
        if (together.length != 0 && values.array.size() != together.length) {
          problems.push_back(
              {values.place, fmt::format("the lists of zip must have one length, but {} has {} values and one "
                                         "before it has {}",
                                         path, values.array.size(), together.length)});
        }
        together.length = std::max(together.length, values.array.size());
        together.axes.push_back({&path, &values});
      }
      if (together.length != 0) dimensions.push_back(std::move(together));
    } else if (key == "exclude" && node.type == Node::Type::array) {
      excludes = &node;
    } else if (key == "exclude") {
      problems.push_back({node.place, "exclude must be a list of tables"});
    } else if (key != "grid" && key != "zip") {
      problems.push_back({node.place, fmt::format("[sweep] has grid, zip and exclude, but no \"{}\"{}", shown(key),
                                                  did_you_mean(key, {"grid", "zip", "exclude"}))});
    }
  }
  if (problems.empty()) {
    check_axes(dimensions, problems);
    if (excludes != nullptr) check_exclude(*excludes, dimensions, problems);
    check_overrides(document, *sweep, problems);
  }
  if (!problems.empty()) throw DiagnosticsError(std::move(problems));

  Document bare = document;
  bare.remove("sweep");
  const std::size_t count = count_cells(dimensions, bare, sweep->place);
  const Exclusions exclusions(excludes, dimensions);
  std::vector<SweepCell> cells;
  std::vector<std::size_t> digits(dimensions.size());
  for (std::size_t i = 0; i < count; ++i) {
    // The first dimension varies slowest.
    std::size_t rest = i;
    for (std::size_t d = dimensions.size(); d-- > 0;) {
      digits[d] = rest % dimensions[d].length;
      rest /= dimensions[d].length;
    }
    if (!exclusions.match(digits)) cells.push_back(make_cell(dimensions, digits, bare));
  }
  if (cells.empty()) throw DiagnosticsError({{sweep->place, "[sweep] excludes all of its cells; nothing would run"}});
  return cells;
}

}  // namespace nbs::config
