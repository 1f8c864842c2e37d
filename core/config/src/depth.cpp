// SPDX-License-Identifier: Apache-2.0
#include "depth.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/config/document.h"

#include "text.h"

namespace nbs::config {

namespace {

constexpr std::size_t kMostNested = 32;

// Walks over TOML as far as strings, comments, brackets and dots go. What is no TOML is left to the parser.
class Walk {
 public:
  Walk(const std::string& text, const std::string& name) : text_(text), name_(name) {}

  void run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        skip_to_line_end();
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        step(c);
        ++at_;
      }
    }
  }

 private:
  void step(char c) {
    if (c == '.') {
      if (++dots_ >= kMostParts) fail(fmt::format("a key has more than {} parts", kMostParts));
    } else if (c == '[' || c == '{') {
      dots_ = 0;
      if (++nested_ > kMostNested) fail(fmt::format("lists and tables are nested more than {} deep", kMostNested));
    } else if (c == ']' || c == '}') {
      dots_ = 0;
      if (nested_ > 0) --nested_;
    } else if (c == '=' || c == ',' || c == '\n') {
      dots_ = 0;
    }
  }

  void skip_to_line_end() {
    while (at_ < text_.size() && text_[at_] != '\n')
      ++at_;
  }

  bool three(char quote) const { return text_.compare(at_, 3, std::string(3, quote)) == 0; }

  void skip_string(char quote) {
    const bool lines = three(quote);
    at_ += lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        at_ += 2;
      } else if (lines && three(quote)) {
        at_ += 3;
        // Up to two quotes before the closing three belong to the text.
        for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i)
          ++at_;
        return;
      } else if (!lines && (c == quote || c == '\n')) {
        at_ += c == quote ? 1 : 0;
        return;
      } else {
        ++at_;
      }
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    const auto here = text_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto line = std::count(text_.begin(), here, '\n') + 1;
    const auto start = at_ == 0 ? std::string::npos : text_.rfind('\n', at_ - 1);
    const auto column = start == std::string::npos ? at_ + 1 : at_ - start;
    throw ProblemsError({{{name_, static_cast<int>(line), static_cast<int>(column)},
                          what + ", which no pipeline needs; write it flatter"}});
  }

  const std::string& text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::size_t dots_ = 0;
  std::size_t nested_ = 0;
};

}  // namespace

void refuse_depth(const std::string& text, const std::string& name) {
  Walk(text, name).run();
}

}  // namespace nbs::config
