// SPDX-License-Identifier: Apache-2.0
#include "page_stamp.h"

#include <cstdint>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"

namespace nbs::report {

namespace {

// Length and time of change; empty if there is no such file. A folder has no length.
std::string standing_of(const std::filesystem::path& path) {
  std::error_code missing;
  const auto changed = std::filesystem::last_write_time(path, missing);
  if (missing) return "";
  std::error_code folder;
  const auto length = std::filesystem::file_size(path, folder);
  return fmt::format("{} {}", folder ? 0 : length, static_cast<std::int64_t>(changed.time_since_epoch().count()));
}

}  // namespace

std::string page_stamp(const std::filesystem::path& folder) {
  const record::RunDirectory run(folder);
  std::string inputs = standing_of("/proc/self/exe");
  for (const auto& file : {run.resolved(), run.provenance(), run.split(), run.metrics(), run.result(),
                           run.diagnostics(), run.predictions(), run.labeled()}) {
    inputs += fmt::format("\n{} {}", file.filename().string(), standing_of(file));
  }
  return fmt::format("<!-- made from {} -->\n", sha256(inputs));
}

bool page_is_current(const std::filesystem::path& folder) {
  const auto page = record::RunDirectory(folder).report();
  const auto stamp = page_stamp(folder);
  std::error_code missing;
  if (!std::filesystem::is_regular_file(page, missing)) return false;
  try {
    return FileReader(page).end(stamp.size()) == stamp;
  } catch (const Error&) {
    return false;  // writing it anew says why, if it is more than a page that has just gone
  }
}

}  // namespace nbs::report
