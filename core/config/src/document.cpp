// SPDX-License-Identifier: Apache-2.0
#include "nbs/config/document.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/files.h"

#include "parse.h"

namespace nbs::config {

namespace {

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& problem : problems)
    text += (text.empty() ? "" : "\n") + problem.text();
  return text;
}

std::string read_text(const std::filesystem::path& file) {
  // Far more than any pipeline needs, far less than the memory of the machine.
  constexpr std::size_t kLimit = 16 << 20;
  return read_file(file, "pipeline file", kLimit);
}

// Tables are merged key by key; anything else in `over` replaces what `base` has.
void merge(Node& base, const Node& over) {
  for (const auto& [key, value] : over.table) {
    Node* const present = base.find(key);
    if (present != nullptr && present->type == Node::Type::table && value.type == Node::Type::table) {
      present->place = value.place;
      // Another plugin has other options: those of the base's plugin must not linger.
      const Node* const was = present->find("plugin");
      const Node* const is = value.find("plugin");
      if (was != nullptr && is != nullptr && was->scalar != is->scalar) {
        *present = value;
      } else {
        merge(*present, value);
      }
    } else {
      base.set(key, value);
    }
  }
}

// Where a path is relative, it is relative to the file it is written in.
void anchor_path(Node& node, const std::filesystem::path& folder) {
  if (node.type == Node::Type::array) {
    for (auto& child : node.array)
      anchor_path(child, folder);
  } else if (auto* text = std::get_if<std::string>(&node.scalar)) {
    if (node.type != Node::Type::scalar || text->empty()) return;
    const std::filesystem::path path = *text;
    if (path.is_relative()) *text = (folder / path).lexically_normal().string();
  }
}

void anchor_paths(Node& root, const std::filesystem::path& folder) {
  if (Node* const data = root.find("data")) {
    if (Node* const path = data->find("root")) anchor_path(*path, folder);
  }
  if (Node* const path = root.find("plugin_path")) anchor_path(*path, folder);
}

Node load(const std::string& text, const std::filesystem::path& file, const std::vector<std::filesystem::path>& chain);

// One base of a file; `chain` holds the files that lead to it.
Node load_base(const Node& name, const std::filesystem::path& file, std::vector<std::filesystem::path> chain) {
  const auto* const text = std::get_if<std::string>(&name.scalar);
  if (name.type != Node::Type::scalar || text == nullptr)
    throw ProblemsError({{name.place, "base must name another pipeline file, as a text, or several in a list"}});
  const auto base_file = (file.parent_path() / *text).lexically_normal();
  const auto absolute = std::filesystem::absolute(base_file).lexically_normal();
  if (std::find(chain.begin(), chain.end(), absolute) != chain.end()) {
    throw ProblemsError({{name.place, fmt::format("base = \"{}\" closes a circle: that file is based on this one",
                                                  base_file.string())}});
  }
  chain.push_back(absolute);
  std::string base_text;
  try {
    base_text = read_text(base_file);
  } catch (const Error&) {
    throw ProblemsError({{name.place, fmt::format("the base file {} cannot be opened", base_file.string())}});
  }
  return load(base_text, base_file, chain);
}

Node load(const std::string& text, const std::filesystem::path& file, const std::vector<std::filesystem::path>& chain) {
  Node own = parse_toml(text, file.string());
  anchor_paths(own, std::filesystem::absolute(file).parent_path());
  const Node* const base = own.find("base");
  if (base == nullptr) return own;
  const auto names = base->type == Node::Type::array ? base->array : std::vector<Node>{*base};
  const std::string base_key = "base";
  own.table.erase(
      std::remove_if(own.table.begin(), own.table.end(), [&](const auto& item) { return item.first == base_key; }),
      own.table.end());
  Node root;
  root.place = own.place;
  for (const auto& name : names)
    merge(root, load_base(name, file, chain));
  merge(root, own);
  return root;
}

// The parts of a path: "a.b.0", or "a.\"b.c\"" where a key itself holds dots.
std::vector<std::string> keys_of(const std::string& path) {
  std::vector<std::string> keys(1);
  bool quoted = false;
  for (const char c : path) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      keys.emplace_back();
    } else {
      keys.back() += c;
    }
  }
  return keys;
}

}  // namespace

bool names_plugin(const std::string& path) {
  return keys_of(path).back() == "plugin";
}

std::string Place::text() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

ProblemsError::ProblemsError(std::vector<Problem> problems) : Error(joined(problems)), problems_(std::move(problems)) {}

const Node* Node::find(const std::string& key) const {
  for (const auto& [name, value] : table) {
    if (name == key) return &value;
  }
  return nullptr;
}

Node* Node::find(const std::string& key) {
  for (auto& [name, value] : table) {
    if (name == key) return &value;
  }
  return nullptr;
}

Node& Node::set(const std::string& key, Node value) {
  if (Node* const present = find(key)) {
    *present = std::move(value);
    return *present;
  }
  table.emplace_back(key, std::move(value));
  return table.back().second;
}

Document Document::from_file(const std::filesystem::path& file) {
  return from_text(read_text(file), file);
}

Document Document::from_text(const std::string& text, const std::filesystem::path& name) {
  Document document;
  document.file_ = name;
  document.root_ = load(text, name, {std::filesystem::absolute(name).lexically_normal()});
  return document;
}

void Document::apply(const std::string& override_text) {
  const Place place{"--set " + override_text, 0, 0};
  const auto equals = override_text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ProblemsError({{place, "an override is written NAME=VALUE, for example train.iterations=100"}});
  const std::string path = override_text.substr(0, equals);
  Node value = parse_value(override_text.substr(equals + 1), place);
  if (path == "data.root" || path == "plugin_path") anchor_path(value, std::filesystem::current_path());
  set(path, value);
}

void Document::apply(const std::vector<std::string>& overrides) {
  for (const bool plugins : {true, false}) {
    for (const auto& text : overrides) {
      if (names_plugin(text.substr(0, text.find('='))) == plugins) apply(text);
    }
  }
}

void Document::remove(const std::string& key) {
  root_.table.erase(
      std::remove_if(root_.table.begin(), root_.table.end(), [&](const auto& item) { return item.first == key; }),
      root_.table.end());
}

const Node* Document::find(const std::string& path) const {
  const Node* node = &root_;
  for (const auto& key : keys_of(path)) {
    if (node->type == Node::Type::array) {
      const bool number = !key.empty() && key.find_first_not_of("0123456789") == std::string::npos && key.size() < 9;
      node = number && std::stoul(key) < node->array.size() ? &node->array[std::stoul(key)] : nullptr;
    } else {
      node = node->find(key);
    }
    if (node == nullptr) return nullptr;
  }
  return node;
}

void Document::set(const std::string& path, const Node& value) {
  Node* node = &root_;
  const auto keys = keys_of(path);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool last = i + 1 == keys.size();
    if (node->type == Node::Type::array) {
      const bool number =
          !keys[i].empty() && keys[i].find_first_not_of("0123456789") == std::string::npos && keys[i].size() < 9;
      const std::size_t index = number ? std::stoul(keys[i]) : node->array.size();
      if (index >= node->array.size()) {
        throw ProblemsError(
            {{value.place, fmt::format("\"{}\" does not name one of the {} entries, which are numbered from 0", keys[i],
                                       node->array.size())}});
      }
      node = &node->array[index];
      if (last) *node = value;
      continue;
    }
    if (node->type != Node::Type::table)
      throw ProblemsError({{value.place, fmt::format("\"{}\" is below something that is no table", keys[i])}});
    if (last) {
      // Choosing another plugin drops the options of the one before.
      const Node* const was = keys[i] == "plugin" ? node->find("plugin") : nullptr;
      if (was != nullptr && was->scalar != value.scalar) node->table.clear();
      node->set(keys[i], value);
    } else {
      Node* next = node->find(keys[i]);
      if (next == nullptr) {
        Node table;
        table.place = value.place;
        next = &node->set(keys[i], table);
      }
      node = next;
    }
  }
}

}  // namespace nbs::config
