// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "statistics.h"

namespace nbs::report {

/// "0.412 ± 0.013", "0.412" for a single run, "–" for none.
std::string mean_text(const std::optional<Statistic>& value, int digits = 3);

/// Text for a cell of CSV: quoted if it must be.
std::string csv_text(const std::string& text);

/// All digits that tell the number from its neighbours, or nothing.
std::string csv_number(std::optional<double> value);

/// Text for a cell of a Markdown table: bars and markup escaped, one line.
std::string markdown_text(const std::string& text);

/// A length of time in words: "2 min 05 s".
std::string seconds_text(double seconds);

}  // namespace nbs::report
