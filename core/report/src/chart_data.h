// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "plot.h"

namespace nbs::report {

/// JSON in a page for its scripts. Nothing in it can end the element: "<" is written as an escape. Text that is no
/// UTF-8 becomes U+FFFD. `attributes`: HTML, with a blank before it.
std::string json_element(const nlohmann::ordered_json& json, const std::string& attributes = "");

/// Four significant digits, or null if it is not finite.
nlohmann::ordered_json brief_number(double value);

/// The numbers of a plot, as charts.js reads them.
nlohmann::ordered_json chart_data(const Plot& plot, bool logarithmic);

}  // namespace nbs::report
