// SPDX-License-Identifier: Apache-2.0
#include "mutate.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "nbs/base/random.h"

namespace nbs::fuzz {

namespace {

constexpr std::size_t kLargest = 1 << 20;

constexpr std::array<const char*, 24> kNumbers = {"0",
                                                  "-1",
                                                  "1",
                                                  "-0.0",
                                                  "255",
                                                  "256",
                                                  "65535",
                                                  "65536",
                                                  "2147483647",
                                                  "2147483648",
                                                  "-2147483648",
                                                  "4294967295",
                                                  "9223372036854775807",
                                                  "9223372036854775808",
                                                  "-9223372036854775808",
                                                  "1e22",
                                                  "1e308",
                                                  "1e400",
                                                  "1e-400",
                                                  "5e-324",
                                                  "nan",
                                                  "inf",
                                                  "-inf",
                                                  "0x7f"};

constexpr std::array<std::uint64_t, 14> kIntegers = {0,
                                                     1,
                                                     0x7f,
                                                     0x80,
                                                     0xff,
                                                     0x7fff,
                                                     0x8000,
                                                     0xffff,
                                                     0x7fffffff,
                                                     0x80000000,
                                                     0xffffffff,
                                                     0x7fffffffffffffff,
                                                     0x8000000000000000,
                                                     0xffffffffffffffff};

class Mutator {
 public:
  Mutator(const Target& target, std::uint64_t seed) : target_(target), random_(seed) {}

  Seed run() {
    Seed input = any_seed();
    // Mostly few changes: what is damaged beyond recognition is refused at its first byte.
    const auto changes = 1 + below(below(4) == 0 ? 16 : 3);
    for (std::size_t i = 0; i < changes; ++i) {
      if (target_.is_text && below(4) != 0) {
        change_text(input.bytes);
      } else {
        change_bytes(input.bytes);
      }
      if (input.bytes.size() > kLargest) input.bytes.resize(kLargest);
    }
    return input;
  }

 private:
  std::size_t below(std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(bound)));
  }
  const Seed& any_seed() { return target_.seeds[below(target_.seeds.size())]; }

  // A part of a text: where it begins and how long it is.
  std::pair<std::size_t, std::size_t> chunk(const std::string& bytes, std::size_t longest) {
    if (bytes.empty()) return {0, 0};
    const auto at = below(bytes.size());
    return {at, 1 + below(std::min(longest, bytes.size() - at))};
  }

  std::string chunk_of_other() {
    const auto& other = any_seed().bytes;
    const auto [at, length] = chunk(other, 256);
    return other.substr(at, length);
  }

  void change_bytes(std::string& bytes) {
    const auto [at, length] = chunk(bytes, 64);
    switch (below(11)) {
      case 0:
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        if (!bytes.empty()) bytes[at] = static_cast<char>(kIntegers[below(kIntegers.size())]);
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.erase(at, length);
        break;
      case 5:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 6:
        bytes.insert(at, !target_.words.empty() && below(4) == 0 ? any_word() : chunk_of_other());
        break;
      case 7: {
        const auto other = chunk_of_other();
        bytes.replace(at, std::min(other.size(), bytes.size() - at), other);
        break;
      }
      case 8: {
        std::string noise;
        for (std::size_t i = 0; i < length; ++i)
          noise += static_cast<char>(random_.bits());
        bytes.insert(at, noise);
        break;
      }
      default:
        write_integer(bytes);
    }
  }

  // An extreme integer of 2, 4 or 8 bytes, in either order.
  void write_integer(std::string& bytes) {
    const std::size_t width = std::size_t{2} << below(3);
    if (bytes.size() < width) return;
    // Sizes and counts stand near the beginning.
    const auto at =
        below(below(2) == 0 ? std::min<std::size_t>(bytes.size() - width + 1, 256) : bytes.size() - width + 1);
    auto value = kIntegers[below(kIntegers.size())];
    char raw[8];
    std::memcpy(raw, &value, sizeof raw);
    if (below(2) == 0) std::reverse(raw, raw + width);
    bytes.replace(at, width, raw, width);
  }

  static bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  }

  // All words, or all that begin like a number.
  static std::vector<std::pair<std::size_t, std::size_t>> words_of(const std::string& text, bool numbers) {
    std::vector<std::pair<std::size_t, std::size_t>> words;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at;
      while (end < text.size() && in_word(text[end]))
        ++end;
      const bool number = std::isdigit(static_cast<unsigned char>(text[at])) != 0 || text[at] == '-';
      if (end > at && (!numbers || number)) words.emplace_back(at, end - at);
      at = std::max(end, at + 1);
    }
    return words;
  }

  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      lines.push_back(text.substr(at, end - at) + "\n");
      at = end + 1;
    }
    return lines;
  }

  std::string any_word() {
    if (!target_.words.empty() && below(2) == 0) return target_.words[below(target_.words.size())];
    const auto& other = any_seed().bytes;
    const auto words = words_of(other, false);
    if (words.empty()) return "x";
    const auto [at, length] = words[below(words.size())];
    return other.substr(at, length);
  }

  void change_text(std::string& text) {
    switch (below(6)) {
      case 0:
        change_lines(text);
        break;
      case 1:
        text.insert(below(text.size() + 1), any_word());
        break;
      case 2: {
        const auto words = words_of(text, false);
        if (words.empty()) break;
        const auto [at, length] = words[below(words.size())];
        text.replace(at, length, any_word());
        break;
      }
      default:
        change_number(text);
    }
  }

  // An extreme, the same as another number, or as near to it as text can say: ranges of nothing and of one last digit.
  void change_number(std::string& text) {
    const auto numbers = words_of(text, true);
    if (numbers.empty()) return;
    const auto [at, length] = numbers[below(numbers.size())];
    const auto [other_at, other_length] = numbers[below(numbers.size())];
    std::string number = kNumbers[below(kNumbers.size())];
    const auto choice = below(4);
    if (choice < 2) number = text.substr(other_at, other_length);
    if (choice == 0)
      number += (number.find('.') == std::string::npos ? "." : "") + std::string(11 + below(6), '0') + "1";
    text.replace(at, length, number);
  }

  void change_lines(std::string& text) {
    auto lines = lines_of(text);
    if (lines.empty()) return;
    const auto at = below(lines.size());
    const auto other_lines = lines_of(any_seed().bytes);
    switch (below(4)) {
      case 0:
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), 1 + below(50), std::string(lines[at]));
        break;
      case 2:
        std::swap(lines[at], lines[below(lines.size())]);
        break;
      default:
        if (!other_lines.empty())
          lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), other_lines[below(other_lines.size())]);
    }
    text.clear();
    for (const auto& line : lines)
      text += line;
  }

  const Target& target_;
  Random random_;
};

}  // namespace

Seed mutated(const Target& target, std::uint64_t seed, std::uint64_t run) {
  return Mutator(target, seed * 0x9e3779b97f4a7c15ULL ^ (run + 1) * 0xbf58476d1ce4e5b9ULL).run();
}

}  // namespace nbs::fuzz
