// SPDX-License-Identifier: Apache-2.0
#include "run_record.h"

#include <fmt/format.h>

#include "nbs/config/document.h"
#include "nbs/error.h"
#include "nbs/record/metrics_file.h"

namespace nbs::report {

namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
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
      flatten(child, path.empty() ? key : fmt::format("{}.{}", path, key), out);
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

// Of a run that nothing ends early. Runs of older versions had none of the kinds of iterations that came later.
std::optional<std::int64_t> planned_iterations(const RunRecord& record) {
  const auto iterations = integer_option(record, "train.iterations");
  if (!iterations) return std::nullopt;
  const auto later = [&](const char* option) { return integer_option(record, option).value_or(0); };
  const auto members = integer_option(record, "train.members").value_or(1);
  return members * (*iterations + later("train.predictor_iterations") + later("train.student_iterations"));
}

void read_pipeline(RunRecord& record) {
  const fs::path file = record::RunDirectory(record.folder).resolved();
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  try {
    record.options = options_of(config::Document::from_file(file));
  } catch (const Error& error) {
    record.remarks.push_back(fmt::format("the pipeline cannot be read: {}", error.what()));
    return;
  }
  record.name = text_option(record, "name");
  record.dataset = text_option(record, "experiment.dataset");
  record.method = text_option(record, "experiment.method");
  record.seed = integer_option(record, "seed");
  record.split_seed = integer_option(record, "data.split_seed");
  record.labeled = integer_option(record, "data.labeled");
  record.planned = planned_iterations(record);
}

// The result repeats what names the run, so that it can be kept on its own.
void take_result(RunRecord& record, record::RunResult result) {
  const auto take_text = [](std::string& to, const std::string& from) {
    if (to.empty()) to = from;
  };
  const auto take_integer = [](std::optional<std::int64_t>& to, const std::optional<std::int64_t>& from) {
    if (!to) to = from;
  };
  record.state = record::state_of(result);
  take_text(record.name, result.name);
  take_text(record.dataset, result.experiment.dataset);
  take_text(record.method, result.experiment.method);
  take_integer(record.seed, result.experiment.seed);
  take_integer(record.split_seed, result.experiment.split_seed);
  take_integer(record.labeled, result.experiment.labeled);
  record.iterations = result.iterations;
  record.result = std::move(result);
}

std::string name_from_path(const fs::path& path) {
  const std::string name = fs::absolute(path).lexically_normal().filename().string();
  return name.empty() ? path.string() : name;
}

}  // namespace

std::optional<double> RunRecord::score(record::Score wanted) const {
  return result ? record::score_of(*result, wanted) : std::nullopt;
}

const record::Scores* RunRecord::scores() const {
  return result && result->scores && record::any_score(*result->scores) ? &*result->scores : nullptr;
}

bool RunRecord::nothing_to_find() const {
  return scored() && scores()->nothing_to_find();
}

bool RunRecord::counts() const {
  return state == State::finished && scored();
}

std::optional<double> RunRecord::total_seconds() const {
  return result && result->seconds ? result->seconds->total : std::nullopt;
}

const Value* RunRecord::option(const std::string& wanted) const {
  for (const auto& [key, value] : options) {
    if (key == wanted) return &value;
  }
  return nullptr;
}

OptionValues options_of(const config::Document& document) {
  OptionValues options;
  flatten(document.root(), "", options);
  return options;
}

RunRecord read_run(const fs::path& folder) {
  if (!is_folder(folder)) throw Error(fmt::format("there is no folder {}; name the folder of a run", folder.string()));
  const record::RunDirectory run(folder);
  if (!run.holds_run()) {
    throw Error(
        fmt::format("{} holds no run: neither resolved.toml nor metrics.jsonl nor result.json is there; name a folder "
                    "that a run has written",
                    folder.string()));
  }
  RunRecord record;
  record.folder = folder;
  read_pipeline(record);
  if (run.has_result()) {
    try {
      take_result(record, run.read_result());
    } catch (const Error& error) {
      record.state = RunRecord::State::unreadable;
      record.remarks.emplace_back(error.what());
    }
  }
  try {
    record.provenance = run.read_provenance().value_or(record::Provenance{});
  } catch (const Error& error) {
    record.remarks.emplace_back(error.what());
  }
  if (!record.result) record.iterations = record::read_metrics(run.metrics()).iterations;
  if (record.name.empty()) record.name = name_from_path(folder);
  return record;
}

RunRecord read_whole_run(const fs::path& folder) {
  auto run = read_run(folder);
  try {
    run.diagnostics = record::RunDirectory(folder).read_diagnostics().value_or(record::Diagnostics{});
  } catch (const Error& error) {
    run.remarks.emplace_back(error.what());
  }
  return run;
}

RunRecord read_result_file(const fs::path& file) {
  RunRecord record;
  record.folder = file;
  take_result(record, record::read_result_file(file));
  if (record.name.empty()) record.name = file.filename().string();
  return record;
}

std::vector<RunRecord> read_runs(const fs::path& folder) {
  std::vector<RunRecord> records;
  for (const auto& path : record::find_runs(folder))
    records.push_back(is_folder(path) ? read_run(path) : read_result_file(path));
  return records;
}

}  // namespace nbs::report
