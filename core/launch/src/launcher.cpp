// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/launcher.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "nbs/config/pipeline.h"
#include "nbs/error.h"

#include "command_launcher.h"
#include "slurm_launcher.h"

namespace nbs::launch {

void LauncherOptions::declare(Schema<LauncherOptions>& s) {
  s.add("partition", &LauncherOptions::partition).doc("Partition (queue) that tasks are submitted to.");
  s.add("account", &LauncherOptions::account).doc("Account (project) that is charged.");
  s.add("time", &LauncherOptions::time).doc("Most time of a task, as the queue writes it, such as 04:00:00.");
  s.add("memory", &LauncherOptions::memory).doc("Memory of a task, as the queue writes it, such as 8G.");
  s.add("cpus", &LauncherOptions::cpus).range(1, 4096).doc("Cores of a task.");
  s.add("gpus", &LauncherOptions::gpus).range(0, 64).doc("GPUs of a task.");
  s.add("throttle", &LauncherOptions::throttle)
      .range(0, 1e6)
      .doc("The most tasks of a job array that run at a time; 0: as many as the queue lets.");
  s.add("cells_per_task", &LauncherOptions::cells_per_task)
      .range(1, 100000)
      .doc("Runs that one task does, one after the other; for short ones.");
  s.add("directives", &LauncherOptions::directives)
      .doc(
          "More directives: with Slurm such as --constraint=avx512, with a command whole lines for the script's head.");
  s.add("setup", &LauncherOptions::setup)
      .doc("Lines of shell before nbs is started in a task, such as module load openblas.");
  s.add("submit_command", &LauncherOptions::submit_command)
      .doc(
          "For the launcher command: the line of shell that submits {script} and prints its id. {name}, {log}, "
          "{partition}, {account}, {time}, {memory}, {cpus} and {gpus} stand for their values.");
  s.add("status_command", &LauncherOptions::status_command)
      .doc("For the launcher command: the line of shell that prints the ids of the jobs that wait or run.");
  s.add("cancel_command", &LauncherOptions::cancel_command)
      .doc("For the launcher command: the line of shell that ends the job {id}.");
}

namespace {

constexpr const char* kEmptyFile = "launcher.toml";

// A word of the command line as the value of an option of this type, where it can be one.
config::Node node_of(const OptionSpec& spec, const std::string& word, const std::string& flag) {
  config::Node node;
  node.type = config::Node::Type::scalar;
  node.place.file = flag;
  node.scalar = word;
  char* end = nullptr;
  const long long number = std::strtoll(word.c_str(), &end, 10);
  if (spec.type == ValueType::integer && !word.empty() && *end == '\0') node.scalar = std::int64_t{number};
  return node;
}

void check_lines(const OptionValues& values) {
  for (const auto& [name, value] : values) {
    const auto check = [&, &option = name](const std::string& text) {
      if (text.find('\n') != std::string::npos)
        throw Error(fmt::format("the launcher's option {} holds a line break; write one line", option));
    };
    if (const auto* const text = std::get_if<std::string>(&value)) check(*text);
    if (const auto* const texts = std::get_if<std::vector<std::string>>(&value))
      std::for_each(texts->begin(), texts->end(), check);
  }
}

}  // namespace

OptionValues launcher_options(const std::filesystem::path& file,
                              const std::vector<std::pair<std::string, std::string>>& flags) {
  auto document = file.empty() ? config::Document::from_text("", kEmptyFile) : config::Document::from_file(file);
  const auto specs = schema_of<LauncherOptions>().specs();
  std::vector<std::string> seen;
  for (const auto& [name, word] : flags) {
    const auto spec = std::find_if(specs.begin(), specs.end(), [&, &n = name](const auto& s) { return s.name == n; });
    if (spec == specs.end()) throw Error(fmt::format("launchers have no option {}", name));
    const auto node = node_of(*spec, word, "--" + name);
    if (spec->type != ValueType::texts) {
      document.set(name, node);
      continue;
    }
    config::Node list;
    list.type = config::Node::Type::array;
    list.place = node.place;
    const bool again = std::find(seen.begin(), seen.end(), name) != seen.end();
    if (const auto* const before = document.find(name); again && before != nullptr) list = *before;
    list.array.push_back(node);
    document.set(name, list);
    seen.push_back(name);
  }
  auto values = config::read_table(document, "the launcher", specs);
  check_lines(values);
  return values;
}

std::filesystem::path usual_launcher_file() {
  std::filesystem::path folder;
  if (const char* named = std::getenv("XDG_CONFIG_HOME"); named != nullptr && *named != '\0') {
    folder = named;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    folder = std::filesystem::path(home) / ".config";
  } else {
    return {};
  }
  const auto file = folder / "nbs" / "launcher.toml";
  std::error_code failed;
  return std::filesystem::is_regular_file(file, failed) ? file : std::filesystem::path();
}

std::unique_ptr<Launcher> make_launcher(const std::string& name, const LauncherOptions& options) {
  if (name == "slurm") return slurm_launcher(options);
  if (name == "command") return command_launcher(options);
  throw Error(fmt::format("there is no launcher \"{}\"; choose local, slurm or command", name));
}

}  // namespace nbs::launch
