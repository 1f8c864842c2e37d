// SPDX-License-Identifier: Apache-2.0
#include "run_record.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/config/document.h"
#include "nbs/error.h"

#include "metrics.h"

namespace nbs::report {

namespace {

namespace fs = std::filesystem;

constexpr const char* kResultSuffix = ".result.json";

// What cannot be reached (a loop of links, a folder that may not be entered) is not there.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// A list of scalars as one value; a list of anything else is written out by the caller.
template <typename T>
std::optional<Value> list_of(const config::Node& node) {
  std::vector<T> items;
  for (const auto& item : node.array) {
    if (item.type != config::Node::Type::scalar) return std::nullopt;
    const T* held = std::get_if<T>(&item.scalar);
    if (held == nullptr) return std::nullopt;
    items.push_back(*held);
  }
  return Value{std::move(items)};
}

void flatten(const config::Node& node, const std::string& path, OptionValues& out) {
  using Type = config::Node::Type;
  if (node.type == Type::scalar) {
    out.emplace_back(path, node.scalar);
  } else if (node.type == Type::table) {
    for (const auto& [key, child] : node.table)
      flatten(child, path.empty() ? key : path + "." + key, out);
  } else if (auto integers = list_of<std::int64_t>(node)) {
    out.emplace_back(path, *integers);
  } else if (auto reals = list_of<double>(node)) {
    out.emplace_back(path, *reals);
  } else if (auto texts = list_of<std::string>(node)) {
    out.emplace_back(path, *texts);
  } else {
    for (std::size_t i = 0; i < node.array.size(); ++i)
      flatten(node.array[i], fmt::format("{}.{}", path, i), out);
  }
}

std::string text_option(const RunRecord& record, const std::string& name) {
  const Value* value = record.option(name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? std::string() : *text;
}

std::optional<std::int64_t> integer_option(const RunRecord& record, const std::string& name) {
  const Value* value = record.option(name);
  const auto* integer = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  if (integer == nullptr) return std::nullopt;
  return *integer;
}

void read_pipeline(RunRecord& record) {
  const fs::path file = record.folder / "resolved.toml";
  if (!is_there(file)) return;
  try {
    flatten(config::Document::from_file(file).root(), "", record.options);
  } catch (const Error& error) {
    record.remarks.push_back(fmt::format("the pipeline cannot be read: {}", error.what()));
    return;
  }
  record.name = text_option(record, "name");
  record.dataset = text_option(record, "experiment.dataset");
  record.method = text_option(record, "experiment.method");
  record.seed = integer_option(record, "seed");
  record.split_seed = integer_option(record, "data.split_seed");
  record.labelled = integer_option(record, "data.labeled");
  record.planned = integer_option(record, "train.iterations");
}

Json parse_object(const std::string& text) {
  Json json = Json::parse(text);
  if (!json.is_object()) throw Error("it holds no JSON object");
  return json;
}

RunRecord::State state_of(const Json& result) {
  const std::string ending = text_at(result, "ending");
  if (ending == "finished" || ending == "patience") return RunRecord::State::finished;
  if (ending == "diverged") return RunRecord::State::diverged;
  if (ending == "interrupted") return RunRecord::State::interrupted;
  return RunRecord::State::unfinished;
}

// The result repeats what names the run, so that it can be kept on its own.
void take_result(RunRecord& record, Json result) {
  record.result = std::move(result);
  record.state = state_of(record.result);
  const auto take_text = [&](std::string& to, const char* path) {
    if (to.empty()) to = text_at(record.result, path);
  };
  const auto take_integer = [&](std::optional<std::int64_t>& to, const char* path) {
    if (!to) to = integer_at(record.result, path);
  };
  take_text(record.name, "name");
  take_text(record.dataset, "experiment.dataset");
  take_text(record.method, "experiment.method");
  take_integer(record.seed, "experiment.seed");
  take_integer(record.split_seed, "experiment.split_seed");
  take_integer(record.labelled, "experiment.labeled");
  if (const auto iterations = integer_at(record.result, "iterations")) record.iterations = *iterations;
  if (const auto missing = integer_at(record.result, "missing_pictures.count"); missing && *missing > 0) {
    const Json& reasons = member(record.result, "missing_pictures.reasons");
    const bool known = reasons.is_array() && !reasons.empty() && reasons.front().is_string();
    record.remarks.push_back(fmt::format("{} pictures could not be written: {}", *missing,
                                         known ? reasons.front().get<std::string>() : "no reason is known"));
  }
}

void read_json_file(RunRecord& record, const char* name, const std::function<void(Json)>& take,
                    const std::function<void()>& refused) {
  const fs::path file = record.folder / name;
  if (!is_there(file)) return;
  try {
    take(parse_object(read_file(file)));
  } catch (const std::exception& error) {
    record.remarks.push_back(
        fmt::format("{} cannot be read ({}); run the pipeline again if it is needed", file.string(), error.what()));
    refused();
  }
}

std::string name_from_path(const fs::path& path) {
  const std::string name = fs::absolute(path).lexically_normal().filename().string();
  return name.empty() ? path.string() : name;
}

}  // namespace

std::optional<double> RunRecord::score(const std::string& path) const {
  const std::string last = path.substr(path.rfind('.') + 1);
  if ((last == "f1" || last == "precision" || last == "recall") && nothing_to_find()) return std::nullopt;
  return number_at(result, "scores." + path);
}

bool RunRecord::scored() const {
  const Json& scores = member(result, "scores");
  for (const char* key :
       {"f1", "precision", "recall", "mean_image_f1", "auroc", "average_precision", "aupro", "image_auroc"}) {
    if (number_at(scores, key)) return true;
  }
  return false;
}

bool RunRecord::nothing_to_find() const {
  const auto found = integer_at(result, "scores.true_positives");
  const auto missed = integer_at(result, "scores.false_negatives");
  return found && missed && *found == 0 && *missed == 0;
}

bool RunRecord::counts() const {
  return state == State::finished && scored();
}

const Value* RunRecord::option(const std::string& wanted) const {
  for (const auto& [key, value] : options) {
    if (key == wanted) return &value;
  }
  return nullptr;
}

const char* state_name(RunRecord::State state) {
  static constexpr const char* kNames[] = {"finished", "interrupted", "diverged", "unfinished", "unreadable"};
  return kNames[static_cast<int>(state)];
}

bool is_run(const fs::path& folder) {
  return is_there(folder / "resolved.toml") || is_there(folder / "metrics.jsonl") || is_there(folder / "result.json");
}

RunRecord read_run(const fs::path& folder) {
  if (!is_folder(folder)) throw Error(fmt::format("there is no folder {}; name the folder of a run", folder.string()));
  if (!is_run(folder)) {
    throw Error(
        fmt::format("{} holds no run: neither resolved.toml nor metrics.jsonl nor result.json is there; name a folder "
                    "that a run has written",
                    folder.string()));
  }
  RunRecord record;
  record.folder = folder;
  read_pipeline(record);
  read_json_file(
      record, "result.json", [&](Json json) { take_result(record, std::move(json)); },
      [&] { record.state = RunRecord::State::unreadable; });
  read_json_file(
      record, "provenance.json", [&](Json json) { record.provenance = std::move(json); }, [] {});
  if (record.result.is_null()) record.iterations = read_metrics(folder / "metrics.jsonl").iterations;
  if (record.name.empty()) record.name = name_from_path(folder);
  return record;
}

RunRecord read_result_file(const fs::path& file) {
  RunRecord record;
  record.folder = file;
  try {
    take_result(record, parse_object(read_file(file)));
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{} is no result of a run: {}", file.string(), error.what()));
  } catch (const Error& error) {
    throw Error(fmt::format("the result {} cannot be read: {}", file.string(), error.what()));
  }
  if (record.name.empty()) record.name = file.filename().string();
  return record;
}

std::vector<RunRecord> read_runs(const fs::path& folder) {
  if (!is_folder(folder))
    throw Error(fmt::format("there is no folder {}; name a folder with runs in it", folder.string()));
  if (is_run(folder)) return {read_run(folder)};
  std::vector<fs::path> found;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    if (is_folder(at->path())) {
      if (!is_run(at->path())) continue;
      found.push_back(at->path());
      at.disable_recursion_pending();
    } else if (ends_with(at->path().filename().string(), kResultSuffix)) {
      found.push_back(at->path());
    }
  }
  if (failed) throw Error(fmt::format("the folder {} cannot be read: {}", folder.string(), failed.message()));
  std::sort(found.begin(), found.end());
  std::vector<RunRecord> records;
  for (const auto& path : found)
    records.push_back(is_folder(path) ? read_run(path) : read_result_file(path));
  return records;
}

}  // namespace nbs::report
