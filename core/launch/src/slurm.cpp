// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/slurm.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs::launch::slurm {

namespace {

std::optional<std::size_t> number_of(const std::string& text) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (text.empty() || problem != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// At most `most` fields; the last one has what is left.
std::vector<std::string> fields_of(const std::string& line, std::size_t most) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  while (fields.size() + 1 < most) {
    const auto end = line.find('|', begin);
    if (end == std::string::npos) break;
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  fields.push_back(line.substr(begin));
  return fields;
}

// sbatch replaces %a and the like in the names of files.
std::string escaped(const std::string& path) {
  std::string out;
  for (const char c : path)
    out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

// The numbers in "0-3,7,9-11%2".
std::vector<std::size_t> numbers_in(const std::string& ranges) {
  std::vector<std::size_t> numbers;
  std::istringstream parts(ranges.substr(0, ranges.find('%')));
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const auto first = number_of(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : number_of(part.substr(dash + 1));
    constexpr std::size_t kMost = 10'000'000;
    if (!first || !last || *last < *first || *last > kMost) continue;
    for (auto number = *first; number <= *last; ++number)
      numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::vector<std::string> directives(const LauncherOptions& options, const Submission& submission, bool array) {
  std::vector<std::string> words = {
      "--job-name=" + submission.name, "--output=" + escaped(submission.logs.string()) + (array ? "/%a.log" : "/0.log"),
      // What a task printed before it was requeued stays.
      "--open-mode=append", "--requeue", "--nodes=1", "--ntasks=1", fmt::format("--cpus-per-task={}", options.cpus)};
  if (array) {
    const auto most = options.throttle > 0 ? fmt::format("%{}", options.throttle) : "";
    words.push_back(fmt::format("--array=0-{}{}", submission.tasks - 1, most));
  }
  const auto add = [&words](const char* name, const std::string& value) {
    if (!value.empty()) words.push_back(fmt::format("--{}={}", name, value));
  };
  add("partition", options.partition);
  add("account", options.account);
  add("time", options.time);
  add("mem", options.memory);
  if (options.gpus > 0) add("gres", fmt::format("gpu:{}", options.gpus));
  words.insert(words.end(), options.directives.begin(), options.directives.end());
  for (auto& word : words) {
    // Blanks end a word of a directive.
    const bool plain = word.find_first_of(" \t\"'\\#") == std::string::npos;
    const auto equal = word.find('=');
    if (!plain && equal != std::string::npos && word.find('"') == std::string::npos)
      word.insert(equal + 1, "\"").append("\"");
    word.insert(0, "#SBATCH ");
  }
  return words;
}

std::string job_id(const std::string& output) {
  const auto lines = lines_of(output);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    auto id = line->substr(0, line->find(';'));
    if (number_of(id)) return id;
  }
  throw Error(fmt::format("sbatch printed no job id, but \"{}\"", output));
}

QueuedTask::State state_of(const std::string& word) {
  static const std::vector<std::string> kRunning = {"RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT"};
  static const std::vector<std::string> kEnded = {"BOOT_FAIL", "CANCELLED", "COMPLETED",     "DEADLINE", "FAILED",
                                                  "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "REVOKED",  "TIMEOUT"};
  const auto is_in = [&](const std::vector<std::string>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (is_in(kEnded)) return QueuedTask::State::ended;
  return is_in(kRunning) ? QueuedTask::State::running : QueuedTask::State::waiting;
}

std::vector<QueueLine> queue_lines(const std::string& output) {
  std::vector<QueueLine> all;
  for (const auto& line : lines_of(output)) {
    const auto fields = fields_of(line, 5);
    if (fields.size() != 5 || !number_of(fields[0]))
      throw Error(fmt::format("squeue printed a line that cannot be read: \"{}\"", line));
    QueueLine one;
    one.id = fields[0];
    one.task = number_of(fields[1]).value_or(0);
    one.state = state_of(fields[2]);
    const bool because = one.state == QueuedTask::State::waiting && !fields[4].empty() && fields[4] != "None";
    one.word = fields[2] + (because ? " (" + fields[4] + ")" : "");
    one.name = fields[3];
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<QueueLine> account_lines(const std::string& output) {
  std::vector<QueueLine> all;
  for (const auto& line : lines_of(output)) {
    const auto fields = fields_of(line, 2);
    if (fields.size() != 2 || fields[0].find('.') != std::string::npos) continue;  // a step of a job
    QueueLine one;
    const auto mark = fields[0].find('_');
    one.id = fields[0].substr(0, mark);
    if (!number_of(one.id)) continue;
    const auto word = fields[1].substr(0, fields[1].find(' '));  // "CANCELLED by 1000"
    one.state = state_of(word);
    one.word = word;
    auto tasks = mark == std::string::npos ? std::string("0") : fields[0].substr(mark + 1);
    if (tasks.size() >= 2 && tasks.front() == '[') tasks = tasks.substr(1, tasks.find(']') - 1);
    for (const auto task : numbers_in(tasks)) {
      one.task = task;
      all.push_back(one);
    }
  }
  return all;
}

std::string config_word(const std::string& output, const std::string& name) {
  for (const auto& line : lines_of(output)) {
    std::istringstream words(line);
    std::string key;
    std::string equal;
    std::string value;
    if (words >> key >> equal >> value && key == name && equal == "=") return value;
  }
  return "";
}

std::optional<std::size_t> config_number(const std::string& output, const std::string& name) {
  return number_of(config_word(output, name));
}

std::optional<std::size_t> most_submitted(const std::string& output, const std::string& account,
                                          const std::string& partition) {
  std::optional<std::size_t> least;
  for (const auto& line : lines_of(output)) {
    const auto fields = fields_of(line, 3);
    if (fields.size() != 3) continue;
    if (!account.empty() && fields[0] != account) continue;
    if (!fields[1].empty() && fields[1] != partition) continue;
    if (const auto most = number_of(fields[2])) least = std::min(least.value_or(*most), *most);
  }
  return least;
}

}  // namespace nbs::launch::slurm
