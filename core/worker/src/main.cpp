// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "commands.h"

// nbs-worker COMMAND ARGUMENT…: the tensor side of nbs, which starts it. See commands.h.
int main(int count, char** words) {
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
    fmt::print(stderr, "nbs-worker is started by nbs; see nbs --help\n");
    return 2;
  }
  try {
    return command->second(std::vector<std::string>(words + 2, words + count));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
