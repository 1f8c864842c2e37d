// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/report/report.h"

#include "commands.h"
#include "pipelines.h"
#include "shipped.h"

namespace nbs::cli {

void add_table(CLI::App& app, Action& action) {
  struct TableArguments {
    std::vector<std::string> folders;
    std::string format = "text";
    std::string paper;
    std::string out;
  };
  auto* const command =
      app.add_subcommand("table", "Results as the paper's Tables 1 and 2, beside its printed figures");
  const auto arguments = std::make_shared<TableArguments>();
  command->add_option("DIR", arguments->folders, "Runs, or folders with runs at any depth")->required();
  command->add_option("--format", arguments->format, "How it is written")
      ->check(CLI::IsMember({"text", "markdown", "csv", "json"}))
      ->capture_default_str();
  command->add_option("--paper", arguments->paper, "The printed figures; the package's own unless given");
  command->add_option("-o,--out", arguments->out, "File to write; standard output unless given");
  command->footer("Example: nbs table runs --format markdown");
  command->callback([arguments, &action] {
    action = [arguments] {
      const std::vector<std::filesystem::path> folders(arguments->folders.begin(), arguments->folders.end());
      const auto paper = arguments->paper.empty() ? shipped("pipelines/paper_tables.json", "the paper's figures")
                                                  : std::filesystem::path(arguments->paper);
      const auto text =
          report::results_table(folders, report::table_format(arguments->format), paper, plugins_for_reports());
      if (arguments->out.empty()) {
        put(text);
      } else {
        write_file(arguments->out, text);
      }
      return static_cast<int>(kGood);
    };
  });
}

}  // namespace nbs::cli
