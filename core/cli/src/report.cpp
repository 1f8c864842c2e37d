// SPDX-License-Identifier: Apache-2.0
#include "nbs/report/report.h"

#include <memory>

#include <CLI/CLI.hpp>

#include "nbs/base/print.h"
#include "nbs/record/run_directory.h"

#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

namespace {

int write_reports(const std::vector<std::string>& folders) {
  for (const auto& folder : folders) {
    const std::filesystem::path path(folder);
    const record::RunDirectory run(path);
    if (std::filesystem::is_regular_file(run.resolved())) {
      report::write_run_report(path);
      put_now(run.report().string() + "\n");
    } else {
      report::write_folder_report(path, plugins_for_reports());
      put_now((path / "index.html").string() + "\n");
    }
  }
  return kGood;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto* const command = app.add_subcommand("report", "Write report.html of a run, or index.html of a folder of runs");
  const auto folders = std::make_shared<std::vector<std::string>>();
  command->add_option("DIR", *folders, "Runs, or folders with runs at any depth")->required();
  command->callback([folders, &action] { action = [folders] { return write_reports(*folders); }; });
}

}  // namespace nbs::cli
