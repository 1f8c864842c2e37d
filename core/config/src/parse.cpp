// SPDX-License-Identifier: Apache-2.0
#include "parse.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <tuple>

#include <toml++/toml.h>

#include "depth.h"

namespace nbs::config {

namespace {

Place place_of(const toml::node& node, const std::string& name) {
  const auto& begin = node.source().begin;
  return {name, static_cast<int>(begin.line), static_cast<int>(begin.column)};
}

Node convert(const toml::node& from, const std::string& name) {
  Node node;
  node.place = place_of(from, name);
  if (const auto* table = from.as_table()) {
    node.type = Node::Type::table;
    for (const auto& [key, value] : *table) {
      Node child = convert(value, name);
      // A problem with a key is shown where the key stands; tables made by a dotted header have no place of their own.
      if (key.source().begin.line != 0)
        child.place = {name, static_cast<int>(key.source().begin.line), static_cast<int>(key.source().begin.column)};
      node.table.emplace_back(std::string(key.str()), std::move(child));
    }
    // The parser keeps keys by the alphabet; what is listed first is to be varied and reported first.
    std::stable_sort(node.table.begin(), node.table.end(), [](const auto& a, const auto& b) {
      return std::tie(a.second.place.line, a.second.place.column) <
             std::tie(b.second.place.line, b.second.place.column);
    });
  } else if (const auto* array = from.as_array()) {
    node.type = Node::Type::array;
    for (const auto& value : *array)
      node.array.push_back(convert(value, name));
  } else {
    node.type = Node::Type::scalar;
    if (const auto* boolean = from.as_boolean()) {
      node.scalar = boolean->get();
    } else if (const auto* integer = from.as_integer()) {
      node.scalar = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
      node.scalar = real->get();
    } else if (const auto* text = from.as_string()) {
      node.scalar = text->get();
    } else {
      std::ostringstream other;  // dates and times: no option has that type, and the text says what it was
      other << toml::node_view<const toml::node>(from);
      node.scalar = other.str();
    }
  }
  return node;
}

}  // namespace

Node parse_toml(const std::string& text, const std::string& name) {
  refuse_depth(text, name);
  try {
    const auto table = toml::parse(std::string_view(text), std::string_view(name));
    return convert(table, name);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    throw ProblemsError({{{name, static_cast<int>(begin.line), static_cast<int>(begin.column)},
                          "this is not TOML: " + std::string(error.description())}});
  }
}

Node parse_value(const std::string& text, const Place& place) {
  refuse_depth(text, place.file);
  Node value;
  try {
    const auto table = toml::parse("value = " + text);
    if (table.size() == 1) {
      value = convert(*table.get("value"), place.file);
    } else {
      value.type = Node::Type::scalar;
      value.scalar = text;
    }
  } catch (const toml::parse_error&) {
    value.type = Node::Type::scalar;
    value.scalar = text;
  }
  // Everything in an override stands at the override.
  const auto move_here = [&place](Node& node, const auto& self) -> void {
    node.place = place;
    for (auto& child : node.array)
      self(child, self);
    for (auto& child : node.table)
      self(child.second, self);
  };
  move_here(value, move_here);
  return value;
}

}  // namespace nbs::config
