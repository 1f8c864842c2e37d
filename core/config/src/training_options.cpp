// SPDX-License-Identifier: Apache-2.0
// Which options of a resolved pipeline its training depends on.
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "nbs/config/pipeline.h"

namespace nbs::config {

namespace {

using Options = std::map<std::string, std::string>;  // "section.option", and its value as it is written

// What masks are made with, where images lie and what a run is called.
bool concerns_training(const std::string& section, const std::string& option) {
  if (section == "experiment" || section == "[postproc") return false;
  if (section.empty()) return option == "seed";
  if (section == "evaluation") return option == "folds" || option == "fold_steps";
  if (section == "data") return option != "root" && option != "memory";
  if (section == "train") return option != "threads" && option != "checkpoint_minutes";
  return true;
}

// The images that are held out for this rule are not trained on.
void add_held_out(const std::string& option, const std::string& value, Options& options) {
  if (option == "normal_share") options["evaluation.normal_share"] = value;
  if (option == "threshold_rule" && value == "\"normal_area\"") options["evaluation.threshold_rule"] = value;
}

Options training_options(const std::string& resolved_text) {
  Options options;
  Options held_out;
  std::string section;
  std::istringstream lines(resolved_text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() == '[') section = line.substr(1, line.find(']') - 1);
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    const auto option = line.substr(0, equals);
    const auto value = line.substr(equals + 3);
    if (section == "evaluation") add_held_out(option, value, held_out);
    if (concerns_training(section, option))
      options[section.empty() ? option : fmt::format("{}.{}", section, option)] = value;
  }
  const auto members = options.find("train.members");
  if (members != options.end() && members->second != "1") options.erase("evaluation.fold_steps");  // they are the folds
  const auto images = options.find("train.autoencoder_images");
  const bool auxiliary = images != options.end() && images->second == "\"auxiliary\"";
  if (auxiliary && held_out.count("evaluation.threshold_rule") != 0) options.insert(held_out.begin(), held_out.end());
  return options;
}

// A run of an earlier version knows nothing of an option that came later, whose default is what was done before.
std::string in_options_of_today(const std::string& trained, const std::string& run_folder,
                                const host::Catalog& catalog) {
  try {
    return to_toml(resolve(Document::from_text(trained, run_folder), catalog));
  } catch (const DiagnosticsError&) {
    return trained;  // with options that are gone: they will differ
  }
}

}  // namespace

std::optional<OptionDifference> training_difference(const std::string& resolved, const std::string& other) {
  const auto here = training_options(resolved);
  const auto there = training_options(other);
  for (const auto& [option, value] : here) {
    const auto found = there.find(option);
    if (found == there.end()) return OptionDifference{option, value, ""};
    if (found->second != value) return OptionDifference{option, value, found->second};
  }
  for (const auto& [option, value] : there) {
    if (here.count(option) == 0) return OptionDifference{option, "", value};
  }
  return std::nullopt;
}

std::vector<Diagnostic> check_training(const Document& document, const Pipeline& pipeline, const std::string& trained,
                                       const std::string& run_folder, const host::Catalog& catalog) {
  const auto difference = training_difference(to_toml(pipeline), in_options_of_today(trained, run_folder, catalog));
  if (!difference) return {};
  const auto said = [](const std::string& value) { return value.empty() ? std::string("not set") : value; };
  const auto message = fmt::format(
      "{} is {}, but {} in the run {}, whose model was trained with that; only [evaluation] without folds and "
      "fold_steps, [[postproc]], [experiment], train.threads and the place of the images may differ; leave out --model "
      "to train a model",
      difference->option, said(difference->here), said(difference->there), run_folder);
  return {{document.location_of(difference->option), message}};
}

}  // namespace nbs::config
