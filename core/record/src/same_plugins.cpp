// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/same_plugins.h"

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/record/provenance.h"
#include "nbs/record/run_directory.h"

namespace nbs::record {

void require_same_plugins(const std::filesystem::path& run_folder, const config::Pipeline& pipeline, bool allowed,
                          const std::function<void(const std::string&)>& log) {
  const RunDirectory run(run_folder);
  const auto provenance = run.read_provenance();
  if (!provenance) {
    log(fmt::format("warning: there is no {}, so nobody knows whether these are the plugins of the run",
                    run.provenance().string()));
    return;
  }
  const auto changes = changed_plugins(*provenance, pipeline);
  if (changes.empty()) return;
  const auto text =
      fmt::format("the run {} was made with other plugins: {}", run_folder.string(), fmt::join(changes, "; "));
  if (!allowed) {
    throw Error(text +
                "; its masks may be others with these: name a folder with the run's own (--plugin-path), run it again, "
                "or accept the difference (--allow-changed-plugins)");
  }
  log("warning: " + text);
}

}  // namespace nbs::record
