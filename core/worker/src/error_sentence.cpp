// SPDX-License-Identifier: Apache-2.0
#include "error_sentence.h"

#include <algorithm>
#include <cctype>
#include <new>
#include <stdexcept>

#include <c10/util/Exception.h>
#include <fmt/format.h>

namespace nbs::worker {

namespace {

constexpr const char* kAdvice =
    "give it more, or lower data.image_size, buffer.batch, train.minibatch or the number of runs at a time";

// "3.2 GiB" of the number behind `mark`, or nothing.
std::string size_behind(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return "";
  double bytes = 0;
  for (auto i = at + mark.size(); i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i)
    bytes = bytes * 10 + (text[i] - '0');
  if (bytes == 0) return "";
  const double mib = bytes / (1 << 20);
  return mib < 1024 ? fmt::format("{:.1f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

std::string memory_sentence(const std::string& before, const std::string& size) {
  const std::string asked = size.empty() ? "" : fmt::format(" ({} more were asked for)", size);
  return fmt::format("{}there is not enough memory{}; {}", before, asked, kAdvice);
}

// The sentence for what the allocators of LibTorch (processor and CUDA) and OpenCV say when memory ran out; empty for
// any other text. What stands in front of it, such as a plugin's name, stays.
std::string memory_text(const std::string& text) {
  for (const auto& [words, mark] : {std::pair<const char*, const char*>{"can't allocate memory", "tried to allocate "},
                                    {"not enough memory", "tried to allocate "},
                                    {"CUDA out of memory", "Tried to allocate "},
                                    {"Insufficient memory", "Failed to allocate "},
                                    {"std::bad_alloc", "-"}}) {
    auto at = text.find(words);
    if (at == std::string::npos) continue;
    for (const char* head : {"[enforce fail", "DefaultCPUAllocator", "OpenCV("})
      at = std::min(at, text.find(head));
    return memory_sentence(text.substr(0, at), mark[0] == 'T' ? "" : size_behind(text, mark));
  }
  return "";
}

}  // namespace

std::string error_sentence(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return memory_sentence("", "");
  if (dynamic_cast<const std::length_error*>(&error) != nullptr) {
    return fmt::format(
        "something is larger than this program can hold ({}); lower the counts and sizes in the pipeline",
        error.what());
  }
  const auto* const torch = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch != nullptr ? torch->what_without_backtrace() : error.what();
  if (auto sentence = memory_text(text); !sentence.empty()) return sentence;
  // Where others have put the backtrace into their own message.
  for (const char* trace : {"\nException raised from ", " (most recent call first):", "\nframe #0"})
    text.erase(std::min(text.size(), text.find(trace)));
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
    text.pop_back();
  return text;
}

}  // namespace nbs::worker
