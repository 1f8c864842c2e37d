// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <typeinfo>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/names.h"
#include "nbs/base/print.h"
#include "nbs/config/document.h"
#include "nbs/record/provenance.h"

#include "commands.h"

namespace {

// "nbs run", as far as the parser got.
std::string command_name(const CLI::App* command) {
  std::string name = command->get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return name;
}

// A word in the place of a command that is none: the parser itself would only say that a command is missing.
std::string unknown_command(const CLI::App& app, int count, char** words) {
  if (count < 2 || *words[1] == '-') return "";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), words[1]) != names.end()) return "";
  return fmt::format("there is no command \"{}\"{}", words[1], nbs::did_you_mean(words[1], names));
}

void add_commands(CLI::App& app, nbs::cli::Action& action) {
  using namespace nbs::cli;
  add_run(app, action);
  add_check(app, action);
  add_batch(app, action);
  add_task(app, action);
  add_choose(app, action);
  add_report(app, action);
  add_table(app, action);
  add_export(app, action);
  add_predict(app, action);
  add_plugins(app, action);
  add_options(app, action);
  add_reference(app, action);
  add_data(app, action);
  add_postproc(app, action);
  add_tune(app, action);
  add_new(app, action);
  add_test_plugin(app, action);
  add_complete(app, action);
}

int run_program(int count, char** words) {
  using namespace nbs::cli;
  CLI::App app("Finds and segments small anomalies in images, with only a few of them labeled.", "nbs");
  app.set_version_flag("--version", [] { return "nbs " + nbs::record::version_text(); });
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* where, const CLI::Error& error) {
    return fmt::format("nbs: {}\nRun {} --help for how it is used.\n", error.what(), command_name(where));
  });
  app.footer(
      "Examples:\n"
      "  nbs run pipelines/synthetic.toml\n"
      "  nbs run pipelines/crackforest.toml --set data.root=/data/crackforest --set sampler.plugin=random\n"
      "  nbs batch pipelines/crackforest/*.toml --set data.root=/data/crackforest && nbs table runs\n"
      "  nbs predict runs/crackforest-0123abcd new/*.jpg --out masks\n\n"
      "Exit codes: 0 done; 1 failed; 2 wrong use, or a problem in a pipeline file; 130 interrupted by Ctrl-C\n"
      "(143: by SIGTERM, 129: by SIGHUP). docs/output.md says more of them.\n"
      "Environment: NBS_PLUGIN_PATH (folders of plugins, separated by colons), NBS_WORKER (the worker program),\n"
      "NBS_GRACE_SECONDS (how long a run has to end cleanly after SIGTERM or SIGHUP; 10), NBS_PLUGIN_SECONDS (how\n"
      "long a plugin library may take to say what it holds; 20).");
  Action action;
  add_commands(app, action);
  if (const auto problem = unknown_command(app, count, words); !problem.empty()) {
    nbs::say(fmt::format("nbs: {}\nRun nbs --help for the commands.", problem));
    return kWrongUse;
  }
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kGood : kWrongUse;
  }
  try {
    return action();
  } catch (const nbs::config::DiagnosticsError& error) {
    nbs::say(error.what());
    return kWrongUse;
  } catch (const std::bad_alloc&) {
    nbs::say("nbs: there is not enough memory; give it more, or make the sweep or the files smaller");
    return kFailed;
  } catch (const std::exception& error) {
    // This very type is what printing to standard output throws. It is judged and said once, at the end.
    if (typeid(error) == typeid(std::system_error) && std::ferror(stdout) != 0) {
      nbs::note_output_failure(dynamic_cast<const std::system_error&>(error).code().value());
      return kGood;
    }
    nbs::say(fmt::format("nbs: {}", error.what()));
    return kFailed;
  } catch (...) {
    nbs::say("nbs: something failed without saying what; please report this as a mistake in nbs");
    return kFailed;
  }
}

}  // namespace

int main(int count, char** words) {
  nbs::prepare_streams();
  std::signal(SIGCHLD, SIG_DFL);  // ignored, as some programs leave it, workers could not be waited for
  const int code = run_program(count, words);
  return nbs::finish_output() || code != nbs::cli::kGood ? code : nbs::cli::kFailed;
}
