// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nbs/config/document.h"
#include "nbs/config/sections.h"
#include "nbs/data/options.h"
#include "nbs/host/catalog.h"

namespace nbs::config {

/// A plugin with all of its options, defaults written out in declared order.
struct ComponentSpec {
  std::string plugin;
  OptionValues values;
  SourceLocation place;
  std::string library = {};  ///< which one holds it, by name or path; empty where the pipeline does not say
  std::string hash = {};     ///< SHA-256 of the library that it was resolved to; not part of the file
};

/// One of the host's sections: as a struct for use, and as values for writing.
template <typename Options>
struct Section {
  Options options;
  OptionValues values;
};

/// Labels that tables are made of; they change nothing in a run.
struct ExperimentOptions {
  std::string dataset;
  std::string method;

  static void declare(Schema<ExperimentOptions>& s) {
    s.add("dataset", &ExperimentOptions::dataset)
        .doc("Row of the tables, for example \"crackforest\" or \"mvtec/bottle\".");
    s.add("method", &ExperimentOptions::method).doc("Column of the tables, for example \"proposed\" or \"unet\".");
  }
};

/// A checked pipeline: nothing in it can be refused later for its form. One member for each section of the file, which
/// is why there are so many.
struct Pipeline {
  std::string name;
  std::int64_t seed = 0;
  std::vector<std::string> plugin_path;
  Section<ExperimentOptions> experiment;
  Section<data::DataOptions> data;
  Section<data::AugmentOptions> augment;
  Section<ProfileOptions> profile;
  Section<RewardOptions> reward;
  Section<BufferOptions> buffer;
  Section<TrainOptions> train;
  Section<EvaluationOptions> evaluation;
  std::optional<ComponentSpec> sampler;
  std::optional<ComponentSpec> autoencoder;
  std::optional<ComponentSpec> predictor;
  std::vector<ComponentSpec> postproc;
};

/// The host's sections of a pipeline, in the order in which they are written: the one list of them. `visit` is called
/// with the name and the Section<…> of each. AnyPipeline: Pipeline or const Pipeline.
template <typename AnyPipeline, typename Visit>
void visit_sections(AnyPipeline& pipeline, const Visit& visit) {
  visit("experiment", pipeline.experiment);
  visit("data", pipeline.data);
  visit("augment", pipeline.augment);
  visit("profile", pipeline.profile);
  visit("reward", pipeline.reward);
  visit("buffer", pipeline.buffer);
  visit("train", pipeline.train);
  visit("evaluation", pipeline.evaluation);
}

/// The sections that hold plugins, in the order in which they are written: the one list of them. `visit` is called with
/// the kind, the name of the section and its member: an optional ComponentSpec, or a vector of them where a pipeline
/// may have several. AnyPipeline: Pipeline or const Pipeline.
template <typename AnyPipeline, typename Visit>
void visit_component_sections(AnyPipeline& pipeline, const Visit& visit) {
  visit(Kind::sampler, "sampler", pipeline.sampler);
  visit(Kind::autoencoder, "autoencoder", pipeline.autoencoder);
  visit(Kind::predictor, "predictor", pipeline.predictor);
  visit(Kind::postprocessor, "postproc", pipeline.postproc);
}

/// The components of such a section.
inline std::vector<const ComponentSpec*> specs_of(const std::optional<ComponentSpec>& section) {
  return section ? std::vector<const ComponentSpec*>{&*section} : std::vector<const ComponentSpec*>{};
}
inline std::vector<const ComponentSpec*> specs_of(const std::vector<ComponentSpec>& section) {
  std::vector<const ComponentSpec*> specs;
  specs.reserve(section.size());
  for (const auto& spec : section)
    specs.push_back(&spec);
  return specs;
}

/// How TOML introduces each of them.
inline std::string header_of(const std::string& name, const std::optional<ComponentSpec>&) {
  return "[" + name + "]";
}
inline std::string header_of(const std::string& name, const std::vector<ComponentSpec>&) {
  return "[[" + name + "]]";
}

/// The components of a pipeline, in the order in which they are written. `visit` is called with the kind, the header of
/// the section and the ComponentSpec of each.
template <typename Visit>
void visit_components(const Pipeline& pipeline, const Visit& visit) {
  visit_component_sections(pipeline, [&](Kind kind, const char* name, const auto& section) {
    for (const auto* const spec : specs_of(section))
      visit(kind, header_of(name, section), *spec);
  });
}

/// The folders named by plugin_path, needed before plugins can be looked up.
std::vector<std::string> plugin_path_of(const Document& document);
/// The same for the list itself; relative folders are relative to the file in which they stand.
std::vector<std::string> plugin_path_of(const Node& list);

/// What a pipeline is for. Masking new images with a finished run needs neither the run's data and sampler nor options
/// that agree about training; a chain of postprocessors used on its own needs no predictor either.
enum class Purpose { run, predict, postprocess };

/// Checks everything and fills in every default. All problems are found at once; throws DiagnosticsError if there are
/// any. A [sweep] must have been taken out by expand().
Pipeline resolve(const Document& document, const host::Catalog& catalog, Purpose purpose = Purpose::run);

/// The options of a file that is one table and no pipeline: a value for each of `specs`, from the file or the default.
/// `where` is how problems call it. All problems are found at once; throws DiagnosticsError if there are any.
OptionValues read_table(const Document& document, const std::string& where, const std::vector<OptionSpec>& specs);

/// Such values as lines of TOML.
std::string table_toml(const OptionValues& values);

/// What is known of a pipeline's components only after they were made.
struct ComponentFacts {
  bool needs_profile = false;  ///< the predictor
  bool learns = false;         ///< the predictor
  /// Components that could not be made: their section, the number of the postprocessor (from 0), and why.
  struct Refusal {
    std::string section;
    std::size_t index = 0;
    std::string reason;
  };
  std::vector<Refusal> refusals;
};

/// What the rest of the pipeline must be for its components: `pipeline` was resolved from `document`.
std::vector<Diagnostic> check_components(const Document& document, const Pipeline& pipeline,
                                         const ComponentFacts& facts);

/// The pipeline with nothing but what its components are made of, as TOML; pipelines with one such text have one set of
/// facts. It is read with Purpose::postprocess.
std::string components_toml(const Pipeline& pipeline);

/// What a run would need more memory for than the `available` bytes. Only what surely is needed is counted.
std::vector<Diagnostic> check_memory(const Document& document, const Pipeline& pipeline, double available);

/// What is wrong if images do not fit into memory (data.memory) and not on a disk of `capacity` bytes either.
std::vector<Diagnostic> check_disk(const Document& document, const Pipeline& pipeline, double capacity);

/// The bytes that a run surely needs for its data, beside the program itself.
double least_memory(const Pipeline& pipeline);

/// Why a text cannot name a folder of plugins (empty, not UTF-8, no folder there), as the end of a sentence, or
/// nothing.
std::optional<std::string> refuse_plugin_folder(const std::string& folder);

/// Entries of the file's plugin_path that are no folders. They deserve a warning, no more: a pipeline goes from machine
/// to machine, and its plugins may lie in a folder of the command line there.
std::vector<Diagnostic> check_plugin_path(const Document& document);

/// The pipeline as TOML with every default written out; resolving it gives the same pipeline.
std::string to_toml(const Pipeline& pipeline);

/// Whether an option of one of the host's sections may change what a run computes. Those that cannot are part of the
/// resolved file, but make no other pipeline of it.
bool changes_results(const std::string& section, const std::string& option);

/// The text of a resolved file (as to_toml() writes it, also in earlier versions) without the options that change no
/// result: two files are of the same pipeline if these texts are equal.
std::string identity_of(const std::string& resolved_text);

/// An option whose values differ, as they are written; a value is empty where there is no such option.
struct OptionDifference {
  std::string option;  ///< "section.option"
  std::string here;
  std::string there;
};

/// The first option on which training depends and in which two resolved files differ; nothing if a model trained by one
/// is what the other would have trained. Not the number of threads, which changes last digits, nor where the images
/// lie.
std::optional<OptionDifference> training_difference(const std::string& resolved, const std::string& other);

/// Whether a pipeline may take the model of the run in `run_folder`, whose resolved file has the text `trained`: the
/// first option that training depends on and that differs, with both values, at the place where it is written. An
/// option that an earlier version did not have yet counts as its default.
std::vector<Diagnostic> check_training(const Document& document, const Pipeline& pipeline, const std::string& trained,
                                       const std::string& run_folder, const host::Catalog& catalog);

/// A component's section as TOML; `header` is "[sampler]" and the like.
std::string component_toml(const std::string& header, const ComponentSpec& spec);

/// Eight hexadecimal digits that change with anything that may change the result.
std::string short_hash(const Pipeline& pipeline);

/// A line of documentation for every option of the host's sections: section name and declarations.
std::vector<std::pair<std::string, std::vector<OptionSpec>>> section_specs();

}  // namespace nbs::config
