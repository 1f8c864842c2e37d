// SPDX-License-Identifier: Apache-2.0
#include "nbs/config/document.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "nbs/base/files.h"

#include "parse.h"
#include "text.h"

namespace nbs::config {

namespace {

// Who has made this many mistakes mends some of them before reading on.
constexpr std::size_t kMostShown = 100;
// Far more than any pipeline needs, far less than the memory of the machine.
constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostBases = 256;
constexpr std::size_t kLongestChain = 32;

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kMostShown; ++i)
    text += (text.empty() ? "" : "\n") + problems[i].text();
  if (problems.size() > kMostShown) text += fmt::format("\n… and {} more problems", problems.size() - kMostShown);
  return text;
}

std::string read_text(const std::filesystem::path& file) {
  return read_file(file, "pipeline file", kMostBytes);
}

// Tables are merged key by key; anything else in `over` replaces what `base` has.
void merge(Node& base, const Node& over) {
  std::unordered_map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < base.table.size(); ++i)
    at.emplace(base.table[i].first, i);
  for (const auto& [key, value] : over.table) {
    const auto [found, is_new] = at.emplace(key, base.table.size());
    if (is_new) {
      base.table.emplace_back(key, value);
      continue;
    }
    Node& present = base.table[found->second].second;
    if (present.type != Node::Type::table || value.type != Node::Type::table) {
      present = value;
      continue;
    }
    present.place = value.place;
    // Another plugin has other options: those of the base's plugin must not linger.
    const Node* const was = present.find("plugin");
    const Node* const is = value.find("plugin");
    if (was != nullptr && is != nullptr && was->scalar != is->scalar) {
      present = value;
    } else {
      merge(present, value);
    }
  }
}

// Reads a file and, through it, its bases: each file once, however many others are based on it.
class Loader {
 public:
  // `chain` holds the files that lead to this one, itself included.
  Node load(const std::string& text, const std::filesystem::path& file,
            const std::vector<std::filesystem::path>& chain) {
    Node own = parse_toml(text, file.string());
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
      merge(root, base_of(name, file, chain));
    merge(root, own);
    return root;
  }

 private:
  const Node& base_of(const Node& name, const std::filesystem::path& file, std::vector<std::filesystem::path> chain) {
    const auto* const text = std::get_if<std::string>(&name.scalar);
    if (name.type != Node::Type::scalar || text == nullptr)
      throw ProblemsError({{name.place, "base must name another pipeline file, as a text, or several in a list"}});
    const auto base_file = (file.parent_path() / *text).lexically_normal();
    const auto absolute = std::filesystem::absolute(base_file).lexically_normal();
    if (std::find(chain.begin(), chain.end(), absolute) != chain.end()) {
      throw ProblemsError({{name.place, fmt::format("base = \"{}\" closes a circle: that file is based on this one",
                                                    base_file.string())}});
    }
    if (++named_ > kMostBases)
      throw ProblemsError(
          {{name.place, fmt::format("more than {} bases are named altogether; use fewer", kMostBases)}});
    if (chain.size() > kLongestChain) {
      throw ProblemsError({{name.place, fmt::format("this base is the end of a chain of more than {} files; shorten it",
                                                    kLongestChain)}});
    }
    const auto known = loaded_.find(absolute);
    if (known != loaded_.end()) return known->second;
    chain.push_back(absolute);
    std::string base_text;
    try {
      base_text = read_file(base_file, "base file", kMostBytes);
    } catch (const Error& error) {
      throw ProblemsError({{name.place, error.what()}});
    }
    bytes_ += base_text.size();
    if (bytes_ > 4 * kMostBytes) {
      throw ProblemsError({{name.place, fmt::format("the bases have more than {} bytes altogether, which is too much",
                                                    4 * kMostBytes)}});
    }
    return loaded_.emplace(absolute, load(base_text, base_file, chain)).first->second;
  }

  std::map<std::filesystem::path, Node> loaded_;
  std::size_t named_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

bool names_plugin(const std::string& path) {
  return keys_of(path).back() == "plugin";
}

std::string anchored(const std::string& path, const Place& place) {
  if (path.empty() || std::filesystem::path(path).is_absolute()) return path;
  const auto folder =
      place.line == 0 ? std::filesystem::current_path() : std::filesystem::absolute(place.file).parent_path();
  return (folder / path).lexically_normal().string();
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
  document.root_ = Loader().load(text, name, {std::filesystem::absolute(name).lexically_normal()});
  return document;
}

void Document::apply(const std::string& override_text) {
  const Place place{"--set " + shown(override_text, 200), 0, 0};
  if (!is_utf8(override_text)) throw ProblemsError({{place, "an override must be UTF-8"}});
  const auto equals = override_text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ProblemsError({{place, "an override is written NAME=VALUE, for example train.iterations=100"}});
  const std::string path = override_text.substr(0, equals);
  const auto keys = keys_of(path);
  if (keys.front() == "base") {
    throw ProblemsError(
        {{place,
          "base cannot be overridden, as bases are read before overrides are applied; write a file with "
          "that base and give its name instead"}});
  }
  Node value = parse_value(override_text.substr(equals + 1), place);
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

Place Document::place_of(const std::string& option) const {
  const auto dot = option.find('.');
  const Node* const section = root_.find(option.substr(0, dot));
  if (section == nullptr) return {file_.string(), 1, 1};
  const Node* const node = dot == std::string::npos ? nullptr : section->find(option.substr(dot + 1));
  return node == nullptr ? section->place : node->place;
}

void Document::set(const std::string& path, const Node& value) {
  if (const auto problem = problem_with_path(path))
    throw ProblemsError({{value.place, fmt::format("the name \"{}\" {}", shown(path), *problem)}});
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
