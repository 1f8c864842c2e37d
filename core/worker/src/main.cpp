// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <system_error>
#include <typeinfo>
#include <vector>

#include <unistd.h>

#include "nbs/base/ending.h"
#include "nbs/base/print.h"
#include "nbs/host/crash.h"

#include "checkpoint_refused.h"
#include "commands.h"
#include "error_sentence.h"

namespace {

bool returned = false;  // whether the command has: only then the program may end

// A plugin that calls exit(0) must not look as if its work were done.
void refuse_end_from_inside() {
  if (returned) return;
  char place[400];
  nbs::host::write_place(place, sizeof place);
  nbs::say("a plugin or library has ended the program from inside (exit), so what was to be done is not done" +
           (*place == '\0' ? std::string() : "; it was in " + std::string(place)));
  _exit(nbs::kEndedFromInside);
}

int run_command(int count, char** words) {
  using Command = int (*)(const std::vector<std::string>&);
  static const std::map<std::string, Command> commands = {{"describe", nbs::worker::describe},
                                                          {"run", nbs::worker::run},
                                                          {"predict", nbs::worker::predict},
                                                          {"postproc", nbs::worker::postproc},
                                                          {"tune", nbs::worker::tune},
                                                          {"data", nbs::worker::data},
                                                          {"test-plugin", nbs::worker::test_plugin},
                                                          {"components", nbs::worker::components}};
  const auto command = count > 1 ? commands.find(words[1]) : commands.end();
  if (command == commands.end()) {
    nbs::say("nbs-worker is started by nbs; see nbs --help");
    return 2;
  }
  try {
    return command->second(std::vector<std::string>(words + 2, words + count));
  } catch (const nbs::worker::CheckpointRefused& error) {
    nbs::say(error.what());
    return nbs::kCheckpointRefused;
  } catch (const std::exception& error) {
    // This very type is what printing to standard output throws. It is judged and said once, at the end.
    if (typeid(error) == typeid(std::system_error) && std::ferror(stdout) != 0) {
      nbs::note_output_failure(dynamic_cast<const std::system_error&>(error).code().value());
      return 0;
    }
    nbs::say(nbs::worker::error_sentence(error));
    return 1;
  } catch (...) {
    nbs::say("something was thrown that does not say what is wrong; a plugin or library may have thrown it");
    return 1;
  }
}

}  // namespace

// nbs-worker COMMAND ARGUMENT…: the tensor side of nbs, which starts it. See commands.h.
int main(int count, char** words) {
  nbs::prepare_streams();
  nbs::host::report_crashes();
  std::atexit(refuse_end_from_inside);
  std::at_quick_exit(refuse_end_from_inside);
  const int code = run_command(count, words);
  returned = true;
  return nbs::finish_output() || code != 0 ? code : 1;
}
