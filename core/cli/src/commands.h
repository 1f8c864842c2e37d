// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nbs::cli {

/// Exit codes of nbs. Told to stop by a signal, it is kToldToStop and the signal's number: 130 after Ctrl-C.
enum Exit : int { kGood = 0, kFailed = 1, kWrongUse = 2, kToldToStop = 128 };

/// What a chosen command does; returns the exit code.
using Action = std::function<int()>;

/// Each adds one command to `app` and sets `action` when the command is chosen.
void add_run(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_batch(CLI::App& app, Action& action);
void add_task(CLI::App& app, Action& action);
void add_choose(CLI::App& app, Action& action);
void add_plugins(CLI::App& app, Action& action);
void add_options(CLI::App& app, Action& action);
void add_reference(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_table(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_postproc(CLI::App& app, Action& action);
void add_tune(CLI::App& app, Action& action);
void add_data(CLI::App& app, Action& action);
void add_new(CLI::App& app, Action& action);
void add_test_plugin(CLI::App& app, Action& action);
void add_complete(CLI::App& app, Action& action);

}  // namespace nbs::cli
