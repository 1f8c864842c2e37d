// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/run_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"

#include "fields.h"

namespace nbs::record {

namespace {

constexpr const char* kResultSuffix = ".result.json";
constexpr std::size_t kLargestFile = 256U << 20U;

// What cannot be reached (a loop of links, a folder that may not be entered) is not there.
bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Refuses objects with very many members while a file is parsed: each new one is compared with all before it.
class MemberCounter {
 public:
  bool operator()(int, Json::parse_event_t event, Json&) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) counts_.push_back(0);
    if (event == Event::object_end) counts_.pop_back();
    if (event == Event::key && ++counts_.back() > kMost)
      throw Error(fmt::format("one of its objects has more than {} members", kMost));
    return true;
  }

 private:
  static constexpr std::size_t kMost = 10000;
  std::vector<std::size_t> counts_;
};

template <typename T>
T read_json(const std::filesystem::path& file, const std::string& what, T (*from_json)(const Json&)) {
  const auto text = read_file(file, what, kLargestFile);
  try {
    // Without exceptions, as their texts speak of the parser.
    const auto json = Json::parse(text, MemberCounter(), false);
    if (json.is_discarded()) throw Error("it is no JSON");
    return from_json(json);
  } catch (const NewerFormatError& error) {
    throw Error(fmt::format("{} cannot be read: {}", file.string(), error.what()));
  } catch (const Error& error) {
    throw Error(
        fmt::format("{} is damaged: {}; copy the run's folder again, or run it again", file.string(), error.what()));
  }
}

// Of the text of a result without this member, which stands last. Results of earlier versions have none.
constexpr const char* kChecksum = "checksum";

// A flipped bit in a number would otherwise be believed.
RunResult checked_result(const Json& json) {
  if (json.is_object() && json.contains(kChecksum)) {
    Json rest = json;
    rest.erase(kChecksum);
    const auto& noted = json.at(kChecksum);
    if (!noted.is_string() || noted.get<std::string>() != sha256(file_text(rest)))
      throw Error("its checksum is not that of what it holds, so it was changed after it was written");
  }
  return run_result_from_json(json);
}

void make_parents(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    throw Error(fmt::format("the output folder {} cannot be made: {}; choose another with --out", folder.string(),
                            failed.message()));
  }
}

// The resolved pipeline as it is written. TOML is UTF-8, but the names of files and folders in it need not be.
std::string resolved_text(const config::Pipeline& pipeline) {
  auto text = config::to_toml(pipeline);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = line;
    try {
      json.dump();
    } catch (const nlohmann::json::type_error&) {
      throw Error(
          fmt::format("a text of the pipeline is not UTF-8, so no TOML file can hold it: {}; rename the file or "
                      "folder that it names",
                      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    }
  }
  return text;
}

}  // namespace

std::string RunDirectory::stem(const config::Pipeline& pipeline) {
  return fmt::format("{}-{}", pipeline.name, config::short_hash(pipeline));
}

std::filesystem::path RunDirectory::numbered(const std::filesystem::path& parent, const std::string& stem,
                                             std::size_t number) {
  return parent / (number == 1 ? stem : fmt::format("{}-{}", stem, number));
}

std::vector<std::string> RunDirectory::possible_stems(const std::string& name) {
  constexpr std::size_t kHash = 8;  // of config::short_hash()
  std::vector<std::string> stems;
  for (auto dash = name.find('-'); dash != std::string::npos; dash = name.find('-', dash + 1)) {
    const auto end = dash + 1 + kHash;
    if (end > name.size() || (end < name.size() && name[end] != '-')) continue;
    if (name.find_first_not_of("0123456789abcdef", dash + 1) < end) continue;
    stems.push_back(name.substr(0, end));
  }
  return stems;
}

RunDirectory RunDirectory::create(const std::filesystem::path& parent, const config::Pipeline& pipeline) {
  const auto text = resolved_text(pipeline);
  make_parents(parent);
  const auto first = stem(pipeline);
  for (std::size_t number = 1;; ++number) {
    RunDirectory run(numbered(parent, first, number));
    // mkdir either makes the folder or says that somebody else has: two runs that start together cannot share one.
    if (mkdir(run.folder().c_str(), 0755) == 0) {
      write_file(run.resolved(), text);
      return run;
    }
    if (errno != EEXIST) {
      throw Error(fmt::format("the run folder {} cannot be made: {}; choose another place with --out",
                              run.folder().string(), std::strerror(errno)));
    }
  }
}

RunDirectory RunDirectory::use(const std::filesystem::path& folder, const config::Pipeline& pipeline) {
  const auto text = resolved_text(pipeline);
  make_parents(folder);
  RunDirectory run(folder);
  bool taken = !std::filesystem::is_empty(folder);
  if (!taken) {
    // Of two runs that are given the same empty folder at the same moment, only one makes this file.
    const int descriptor = open(run.resolved().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor >= 0) {
      close(descriptor);
    } else if (errno == EEXIST) {
      taken = true;
    } else {
      throw Error(fmt::format("the run folder {} cannot be written to: {}; choose another with --out", folder.string(),
                              std::strerror(errno)));
    }
  }
  if (taken)
    throw Error(
        fmt::format("the run folder {} is not empty; name a new one, so that no result is lost", folder.string()));
  write_file(run.resolved(), text);
  return run;
}

const char* state_name(RunState state) {
  static constexpr const char* kNames[] = {"finished", "interrupted", "diverged", "unfinished", "unreadable"};
  return kNames[static_cast<int>(state)];
}

RunState state_of(const RunResult& result) {
  if (result.stop_reason == StopReason::interrupted) return RunState::interrupted;
  return result.stop_reason == StopReason::diverged ? RunState::diverged : RunState::finished;
}

bool RunDirectory::holds_run() const {
  return is_there(resolved()) || is_there(metrics()) || is_there(result());
}

bool RunDirectory::has_result() const {
  return is_there(result());
}

bool RunDirectory::has_checkpoint() const {
  return is_there(checkpoint());
}

bool RunDirectory::is_complete() const {
  return complete_result().has_value();
}

std::optional<RunResult> RunDirectory::complete_result() const {
  if (!has_result()) return std::nullopt;
  try {
    auto result = read_result();
    if (result.finished() && !result.pictures_cut_off()) return result;
  } catch (const Error&) {
    // It is damaged, so the run has to be done again.
  }
  return std::nullopt;
}

bool RunDirectory::was_cut_off() const {
  if (!has_result()) return is_there(resolved());
  try {
    const auto result = read_result();
    return result.pictures_cut_off() || (result.stop_reason == StopReason::interrupted && has_checkpoint());
  } catch (const Error&) {
    return false;
  }
}

bool RunDirectory::has_identity(const std::string& identity) const {
  try {
    return config::identity_of(read_file(resolved())) == identity;
  } catch (const Error&) {
    return false;  // nobody knows of which pipeline it is
  }
}

RunState RunDirectory::state() const {
  if (!has_result()) return RunState::unfinished;
  try {
    return state_of(read_result());
  } catch (const Error&) {
    return RunState::unreadable;
  }
}

RunResult RunDirectory::read_result() const {
  if (!has_result()) {
    throw Error(
        fmt::format("{} holds no result.json, so it is no folder of a run that has ended; name one that nbs run "
                    "has printed",
                    folder_.string()));
  }
  return read_result_file(result());
}

void RunDirectory::write_result(const RunResult& result_to_write) const {
  auto json = to_json(result_to_write);
  json[kChecksum] = sha256(file_text(json));
  write_file(result(), file_text(json));
}

std::optional<Diagnostics> RunDirectory::read_diagnostics() const {
  if (!is_there(diagnostics())) return std::nullopt;
  return read_json(diagnostics(), "diagnostics", diagnostics_from_json);
}

void RunDirectory::write_diagnostics(const Diagnostics& to_write) const {
  // In one line: lists of a thousand numbers are not for reading.
  write_file(diagnostics(), to_json(to_write).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void RunDirectory::write_resolved(const config::Pipeline& pipeline) const {
  write_file(resolved(), resolved_text(pipeline));
}

std::optional<Provenance> RunDirectory::read_provenance() const {
  if (!is_there(provenance())) return std::nullopt;
  return read_json(provenance(), "provenance", provenance_from_json);
}

void RunDirectory::write_provenance(const Provenance& provenance_to_write) const {
  write_file(provenance(), file_text(to_json(provenance_to_write)));
}

RunResult read_result_file(const std::filesystem::path& file) {
  return read_json(file, "result", checked_result);
}

std::vector<std::filesystem::path> find_runs(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (!is_folder(folder))
    throw Error(fmt::format("there is no folder {}; name a folder with runs in it", folder.string()));
  if (RunDirectory(folder).holds_run()) return {folder};
  std::vector<fs::path> found;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    if (is_folder(at->path())) {
      if (!RunDirectory(at->path()).holds_run()) continue;
      found.push_back(at->path());
      at.disable_recursion_pending();
    } else if (ends_with(at->path().filename().string(), kResultSuffix)) {
      found.push_back(at->path());
    }
  }
  if (failed) throw Error(fmt::format("the folder {} cannot be read: {}", folder.string(), failed.message()));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace nbs::record
