// SPDX-License-Identifier: Apache-2.0
#include "nbs/report/export.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"

#include "commands.h"
#include "pipelines.h"

namespace nbs::cli {

void add_export(CLI::App& app, Action& action) {
  struct ExportArguments {
    std::string folder;
    std::string format = "csv";
    std::string out;
  };
  auto* const command = app.add_subcommand("export", "Runs as data for other programs, or as a table for a text");
  const auto arguments = std::make_shared<ExportArguments>();
  command->add_option("DIR", arguments->folder, "A folder with runs at any depth")->required();
  command->add_option("--format", arguments->format, "How it is written")
      ->check(CLI::IsMember({"csv", "json", "latex", "markdown", "sqlite"}))
      ->capture_default_str();
  command->add_option("-o,--out", arguments->out, "File to write; standard output unless given. sqlite needs one");
  command->footer("Example: nbs export runs --format sqlite -o runs.db");
  command->callback([arguments, &action] {
    action = [arguments] {
      const auto format = report::export_format(arguments->format);
      if (format == report::ExportFormat::sqlite && arguments->out.empty())
        throw Error("a database is no text to print; name a file for it with --out");
      const auto bytes = report::exported(arguments->folder, format, plugins_for_reports());
      if (arguments->out.empty()) {
        put(bytes);
      } else {
        write_file(arguments->out, bytes);
      }
      return static_cast<int>(kGood);
    };
  });
}

}  // namespace nbs::cli
