// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nbs/config/document.h"

namespace nbs::config {

/// TOML text as a tree that keeps places. Throws DiagnosticsError. The only file that includes toml++ is parse.cpp.
Node parse_toml(const std::string& text, const std::string& name);

/// `text` as one TOML value, or as a plain text if it is none.
Node parse_value(const std::string& text, const SourceLocation& place);

}  // namespace nbs::config
