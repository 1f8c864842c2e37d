// SPDX-License-Identifier: Apache-2.0
#include "later_options.h"

#include <set>
#include <string>
#include <utility>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"

namespace nbs::report {

namespace {

// As today's version would write the file. Whether a run could be made of it, on this machine, does not matter.
OptionValues options_of_today(const RunRecord& run, const host::Catalog& plugins) {
  const auto file = record::RunDirectory(run.folder).resolved();
  const auto pipeline = config::resolve(config::Document::from_file(file), plugins, config::Purpose::postprocess);
  return options_of(config::Document::from_text(config::to_toml(pipeline), file.string()));
}

}  // namespace

void add_later_options(std::vector<RunRecord>& runs, const host::Catalog& plugins) {
  std::set<std::string> names;
  for (const auto& run : runs) {
    for (const auto& [name, value] : run.options)
      names.insert(name);
  }
  for (auto& run : runs) {
    // Most folders hold runs of one version and one kind, whose files name the same options.
    if (run.options.empty() || run.options.size() == names.size()) continue;
    try {
      for (auto& [name, value] : options_of_today(run, plugins)) {
        if (names.count(name) != 0 && run.option(name) == nullptr) run.options.emplace_back(name, std::move(value));
      }
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace nbs::report
