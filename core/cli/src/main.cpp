// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/config/document.h"
#include "nbs/run/provenance.h"

#include "commands.h"

int main(int count, char** words) {
  using namespace nbs::cli;
  CLI::App app("Finds and segments small anomalies in images, with only a few of them labelled.", "nbs");
  app.set_version_flag("--version", [] { return "nbs " + nbs::run::version_text(); });
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  app.footer(
      "Examples:\n"
      "  nbs run pipelines/synthetic.toml\n"
      "  nbs run pipelines/crackforest.toml --set data.root=/data/crackforest --set sampler.plugin=random\n"
      "  nbs batch pipelines/crackforest/*.toml --set data.root=/data/crackforest && nbs table runs\n"
      "  nbs predict runs/crackforest-0123abcd new/*.jpg --out masks\n\n"
      "Exit codes: 0 done; 1 failed; 2 wrong use, or a problem in a pipeline file; 130 interrupted.\n"
      "Environment: NBS_PLUGIN_PATH (folders of plugins, separated by colons), NBS_WORKER (the worker program),\n"
      "NO_COLOR.");
  Action action;
  add_run(app, action);
  add_check(app, action);
  add_batch(app, action);
  add_report(app, action);
  add_table(app, action);
  add_predict(app, action);
  add_plugins(app, action);
  add_options(app, action);
  add_data(app, action);
  add_postproc(app, action);
  add_tune(app, action);
  add_new(app, action);
  add_test_plugin(app, action);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kGood : kWrongUse;
  }
  try {
    return action();
  } catch (const nbs::config::ProblemsError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kWrongUse;
  } catch (const std::exception& error) {
    fmt::print(stderr, "nbs: {}\n", error.what());
    return kFailed;
  }
}
