// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "nbs/error.h"

namespace nbs::worker {

/// What nbs tells its worker, `[WORD…] [--name value…] [-- WORD…]`: the word after a name is its value whatever it
/// looks like, and all words after "--" are plain, so that no name of a file is taken for an option. A word that nbs
/// does not choose itself comes after "--" or as a value.
class Arguments {
 public:
  /// `names`: the options that the command has; if given, any other is refused. `leading`: so many words at the start
  /// are plain whatever they look like. Throws nbs::Error.
  explicit Arguments(const std::vector<std::string>& words, const std::vector<std::string>& names = {},
                     std::size_t leading = 0) {
    std::size_t i = std::min(leading, words.size());
    plain_.assign(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i));
    while (i < words.size() && words[i] != "--") {
      const auto& word = words[i++];
      if (word.rfind("--", 0) != 0) {
        if (!named_.empty()) throw Error("the word \"" + word + "\" comes after options but not after \"--\"");
        plain_.push_back(word);
        continue;
      }
      const auto name = word.substr(2);
      if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end())
        throw Error("the worker's command has no option " + word + "; install nbs and nbs-worker of one version");
      if (i == words.size()) throw Error("the argument " + word + " lacks its value");
      if (!named_.emplace(name, words[i++]).second) throw Error("the argument " + word + " is given twice");
    }
    if (i < words.size()) plain_.insert(plain_.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
  }
  const std::vector<std::string>& plain() const { return plain_; }
  std::string get(const std::string& name, const std::string& otherwise) const {
    const auto at = named_.find(name);
    return at == named_.end() ? otherwise : at->second;
  }
  /// The lines of a value that is a list; none if it is not given.
  std::vector<std::string> lines(const std::string& name) const {
    std::vector<std::string> all;
    std::istringstream text(get(name, ""));
    for (std::string line; std::getline(text, line);)
      all.push_back(line);
    return all;
  }
  std::string need(const std::string& name) const {
    const auto at = named_.find(name);
    if (at == named_.end()) throw Error("the argument --" + name + " is missing");
    return at->second;
  }
  const std::string& need_plain(std::size_t index, const char* what) const {
    if (index >= plain_.size()) throw Error(std::string("the argument ") + what + " is missing");
    return plain_[index];
  }

 private:
  std::vector<std::string> plain_;
  std::map<std::string, std::string> named_;
};

}  // namespace nbs::worker
