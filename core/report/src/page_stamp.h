// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace nbs::report {

/// What the page of a run is made from, as the comment that ends the page: this very program and the run's files, by
/// their lengths and times of change. A page that ends with it need not be written again. Pictures count by the time at
/// which one was added or removed, since a page only names them.
std::string page_stamp(const std::filesystem::path& folder);

/// Whether the run's page is there, whole, and made from what is there now. Nothing but its end is read.
bool page_is_current(const std::filesystem::path& folder);

}  // namespace nbs::report
