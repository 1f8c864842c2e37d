// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nbs::config {

/// Whether the bytes are UTF-8 (RFC 3629: no overlong forms, surrogates or code points above U+10FFFF).
bool is_utf8(const std::string& text);

/// A text as a message shows it: what is not UTF-8 or is a control character as \xNN, and no more than `limit`
/// characters.
std::string shown(const std::string& text, int limit = 80);

/// The parts of the path of an option: "a.b.0", or "a.\"b.c\"" where a key itself holds dots.
std::vector<std::string> keys_of(const std::string& path);

/// Why a path names no option, as the end of a sentence ("has an empty part"), or nothing.
std::optional<std::string> problem_with_path(const std::string& path);

/// Parts that a dotted key or path may have; no pipeline needs more than four.
constexpr std::size_t kMostParts = 16;

}  // namespace nbs::config
