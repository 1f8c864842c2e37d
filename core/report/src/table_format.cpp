// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/report/report.h"

namespace nbs::report {

TableFormat table_format(const std::string& name) {
  if (name == "text") return TableFormat::text;
  if (name == "markdown") return TableFormat::markdown;
  if (name == "csv") return TableFormat::csv;
  if (name == "json") return TableFormat::json;
  throw Error(fmt::format("\"{}\" is not a format of tables; use text, markdown, csv or json", name));
}

}  // namespace nbs::report
