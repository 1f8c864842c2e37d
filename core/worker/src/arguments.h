// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nbs/error.h"

namespace nbs::worker {

/// "--name value" pairs and the words between them. The worker is called by nbs, which has checked what users wrote.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].rfind("--", 0) != 0) {
        plain_.push_back(words[i]);
      } else if (i + 1 < words.size()) {
        named_[words[i].substr(2)] = words[i + 1];
        ++i;
      } else {
        throw Error("the argument " + words[i] + " lacks its value");
      }
    }
  }
  const std::vector<std::string>& plain() const { return plain_; }
  std::string get(const std::string& name, const std::string& otherwise) const {
    const auto at = named_.find(name);
    return at == named_.end() ? otherwise : at->second;
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
