// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nbs/error.h"
#include "nbs/options.h"

namespace nbs::config {

/// A place in a pipeline file, or "--set a.b=v".
struct Place {
  std::string file;
  int line = 0;  ///< from 1; 0 = no line (an override)
  int column = 0;

  std::string text() const;  ///< "file:line:column"
};

/// Something wrong, and where.
struct Problem {
  Place place;
  std::string message;

  std::string text() const { return place.text() + ": " + message; }
};

/// All problems of a file at once. what() has a line for each of the first hundred, and says how many more there are.
class ProblemsError : public Error {
 public:
  explicit ProblemsError(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// `path` as it is meant by what stands at `place`: relative to the file, or, for an override, to the current folder.
/// Absolute, unless it is empty.
std::string anchored(const std::string& path, const Place& place);

/// A TOML value that remembers where it was written, also after files were merged.
struct Node {
  enum class Type { scalar, array, table };
  Type type = Type::table;
  Place place;  ///< of the value
  Value scalar;
  std::vector<Node> array;
  std::vector<std::pair<std::string, Node>> table;  ///< in the order of the file

  const Node* find(const std::string& key) const;
  Node* find(const std::string& key);
  Node& set(const std::string& key, Node value);
};

/// Whether a path ends in the key "plugin": setting it drops the options of the plugin before, so it comes first.
bool names_plugin(const std::string& path);

/// A pipeline file with its bases merged in and overrides applied; not yet checked against any schema.
/// `base` names one file or a list of files, relative to the one it stands in: later ones override earlier ones, and
/// the file itself overrides them all. Tables are merged key by key, unless both name a plugin and it differs: then the
/// options of the overridden one are dropped. Anything else, lists too, is replaced whole.
class Document {
 public:
  /// Reads `file` and its bases, each file once. Throws nbs::Error if a file cannot be read, ProblemsError for syntax
  /// errors, a circle of bases, or more nesting, bases or bytes than any pipeline needs.
  static Document from_file(const std::filesystem::path& file);
  /// The same from a text; `name` stands for the file in messages, and bases are looked for beside it.
  static Document from_text(const std::string& text, const std::filesystem::path& name);

  /// Applies "a.b=v": v is read as TOML, or as plain text if it is not TOML. Parts of the path that are numbers index
  /// arrays; a key with dots in it is quoted. Throws ProblemsError for a malformed override, or one of `base`, which
  /// has been read already.
  void apply(const std::string& override_text);
  /// The same for several, in order, but those that choose a plugin first: no other is lost to them.
  void apply(const std::vector<std::string>& overrides);
  /// Sets a.b to a value. Throws ProblemsError if that is not the path of an option.
  void set(const std::string& path, const Node& value);
  /// What a.b is, or null.
  const Node* find(const std::string& path) const;
  /// Where "section.option" is written; where it is not, the place of its section or the beginning of the file.
  Place place_of(const std::string& option) const;
  /// Drops a top-level key, if it is there.
  void remove(const std::string& key);

  const Node& root() const { return root_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  Node root_;
};

}  // namespace nbs::config
