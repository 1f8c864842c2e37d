// SPDX-License-Identifier: Apache-2.0
#include "command_launcher.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "nbs/base/print.h"
#include "nbs/error.h"

#include "program_output.h"

namespace nbs::launch {

namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

// The line with a value, as one word of the shell, for each {name}. Braces around anything else are the shell's.
std::string filled(std::string line, const Values& values) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    bool found = false;
    for (const auto& [name, value] : values) {
      const auto mark = "{" + name + "}";
      if (line.compare(at, mark.size(), mark) != 0) continue;
      out += shell_quoted(value);
      at += mark.size();
      found = true;
      break;
    }
    if (!found) out += line[at++];
  }
  return out;
}

// The number in what a queue prints when it takes a job, with what belongs to it: "123", "123.server", "Job <123> …".
std::string id_in(const std::string& output) {
  const auto begin = output.find_first_of("0123456789");
  if (begin == std::string::npos) return "";
  return output.substr(begin, output.find_first_of(" \t\r\n<>()\"',;", begin) - begin);
}

class CommandLauncher : public Launcher {
 public:
  explicit CommandLauncher(const LauncherOptions& options) : options_(options) {
    for (const auto& [name, line] :
         {std::pair("submit_command", options.submit_command), std::pair("status_command", options.status_command),
          std::pair("cancel_command", options.cancel_command)}) {
      if (line.empty()) {
        throw Error(
            fmt::format("the launcher command needs the option {}; give it in --launcher-file "
                        "(docs/batches.md has examples)",
                        name));
      }
    }
    require_mark("submit_command", options.submit_command, "script");
    require_mark("cancel_command", options.cancel_command, "id");
    if (options.throttle != 0)
      throw Error("the launcher command cannot throttle; leave throttle out, or limit what your queue runs at a time");
    for (const auto& [name, value] : resources()) {
      const bool set = !value.empty() && value != (name == "cpus" ? "1" : "0");
      const bool used = options_.submit_command.find("{" + name + "}") != std::string::npos;
      if (set && !used && !named_in_directives(name))
        throw Error(
            fmt::format("the launcher's option {0} is \"{1}\", but neither submit_command nor directives hold "
                        "{{{0}}}, so nobody would be asked for it",
                        name, value));
      if (used && value.empty())
        throw Error(fmt::format("submit_command holds {{{0}}}, but the option {0} is not set", name));
    }
  }

  std::vector<std::string> directives(const Submission&) const override {
    std::vector<std::string> lines;
    for (auto line : options_.directives) {
      for (const auto& [name, value] : resources()) {
        const auto mark = "{" + name + "}";
        for (auto at = line.find(mark); at != std::string::npos; at = line.find(mark, at + value.size()))
          line.replace(at, mark.size(), value);
      }
      lines.push_back(line);
    }
    return lines;
  }

  std::string task_number() const override { return "0"; }
  std::size_t most_tasks() override { return 1; }
  std::size_t room() override { return kNoLimit; }

  std::string submit(const Submission& submission) override {
    auto values = resources();
    values.emplace_back("script", submission.script.string());
    values.emplace_back("name", submission.name);
    values.emplace_back("log", (submission.logs / "0.log").string());
    const auto output = output_of({"sh", "-c", filled(options_.submit_command, values)});
    auto id = id_in(output);
    if (id.empty())
      throw Error(fmt::format("submit_command printed no number that could be a job's id, but \"{}\"", output));
    return id;
  }

  std::vector<QueuedTask> tasks(std::vector<Submission>& submissions) override {
    std::vector<QueuedTask> found;
    if (submissions.empty()) return found;
    auto output = output_of({"sh", "-c", options_.status_command});
    std::replace(output.begin(), output.end(), ',', ' ');
    std::istringstream words(output);
    for (std::string word; words >> word;) {
      for (std::size_t i = 0; i < submissions.size(); ++i) {
        if (submissions[i].id == word) found.push_back({i, 0, QueuedTask::State::waiting, "in the queue"});
      }
    }
    return found;
  }

  void cancel(const std::vector<std::string>& ids) override {
    std::string problems;
    for (const auto& id : ids) {
      try {
        output_of({"sh", "-c", filled(options_.cancel_command, {{"id", id}})});
      } catch (const Error& error) {
        problems += (problems.empty() ? "" : "; ") + std::string(error.what());
      }
    }
    if (!problems.empty()) throw Error(problems);
  }

 private:
  Values resources() const {
    return {{"partition", options_.partition},
            {"account", options_.account},
            {"time", options_.time},
            {"memory", options_.memory},
            {"cpus", std::to_string(options_.cpus)},
            {"gpus", std::to_string(options_.gpus)}};
  }
  bool named_in_directives(const std::string& name) const {
    return std::any_of(options_.directives.begin(), options_.directives.end(),
                       [&](const std::string& line) { return line.find("{" + name + "}") != std::string::npos; });
  }
  static void require_mark(const char* option, const std::string& line, const char* mark) {
    if (line.find(fmt::format("{{{}}}", mark)) == std::string::npos)
      throw Error(fmt::format("{} is \"{}\", but must hold {{{}}}", option, line, mark));
  }

  LauncherOptions options_;
};

}  // namespace

std::unique_ptr<Launcher> command_launcher(const LauncherOptions& options) {
  return std::make_unique<CommandLauncher>(options);
}

}  // namespace nbs::launch
