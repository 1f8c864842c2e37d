// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nbs/config/document.h"
#include "nbs/host/registry.h"
#include "nbs/record/run_directory.h"

namespace nbs::library {

/// Loads the libraries that a run was made with, found by their SHA-256 in its provenance.json, from `folders`,
/// NBS_PLUGIN_PATH, the pipeline's folders and those of this installation. Nothing else that lies there is loaded. With
/// `allow_changed`, where the run's own library is not found, the first of its file name is; and if the run has no
/// provenance.json, all are. `log` gets warnings. Throws nbs::Error if a folder of `folders` is none, or nothing is
/// known of the run's libraries.
host::Registry* load_run_plugins(const record::RunDirectory& run, const config::Document& document,
                                 const std::vector<std::string>& folders, bool allow_changed,
                                 const std::function<void(const std::string&)>& log);

}  // namespace nbs::library
