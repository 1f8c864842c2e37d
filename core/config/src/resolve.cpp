// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "nbs/base/names.h"
#include "nbs/config/pipeline.h"

#include "cross_checks.h"
#include "text.h"

namespace nbs::config {

namespace {

// The value of a node for an option of the given type, or nothing if it is a table or a list of mixed things.
std::optional<Value> value_of(const Node& node, ValueType wanted) {
  if (node.type == Node::Type::scalar) return node.scalar;
  if (node.type == Node::Type::table) return std::nullopt;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  for (const auto& item : node.array) {
    if (item.type != Node::Type::scalar) return std::nullopt;
    if (const auto* integer = std::get_if<std::int64_t>(&item.scalar)) {
      integers.push_back(*integer);
      reals.push_back(static_cast<double>(*integer));
    } else if (const auto* real = std::get_if<double>(&item.scalar)) {
      reals.push_back(*real);
    } else if (const auto* text = std::get_if<std::string>(&item.scalar)) {
      texts.push_back(*text);
    } else {
      return std::nullopt;
    }
  }
  if (wanted == ValueType::reals && texts.empty()) return Value{reals};
  if (texts.empty() && integers.size() == node.array.size()) return Value{integers};
  if (texts.empty()) return Value{reals};
  if (texts.size() == node.array.size()) return Value{texts};
  return std::nullopt;
}

// Names of the run folder are "NAME-HASH" and perhaps "-NUMBER"; file systems allow 255 bytes.
constexpr std::size_t kLongestName = 200;
// Near names are looked for as long as somebody may read them.
constexpr std::size_t kMostAdvised = 100;

// Why a text cannot be the value of any option, as the end of a sentence, or nothing: the resolved file could not hold
// it, or the system would read only its beginning.
std::optional<std::string> problem_with_text(const std::string& text) {
  if (!is_utf8(text)) return fmt::format("must be UTF-8, but is \"{}\"", shown(text));
  if (text.find('\0') != std::string::npos)
    return fmt::format("must not hold the character NUL, but is \"{}\"", shown(text));
  return std::nullopt;
}

std::optional<std::string> problem_with_texts(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return problem_with_text(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    for (const auto& text : *texts) {
      if (auto problem = problem_with_text(text)) return problem;
    }
  }
  return std::nullopt;
}

// Why a run folder cannot be called so, or nothing.
std::optional<std::string> problem_with_name(const std::string& name) {
  if (auto problem = problem_with_text(name)) return problem;
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (name.empty()) return "is empty";
  if (name.find('/') != std::string::npos || std::any_of(name.begin(), name.end(), control))
    return fmt::format("must have neither \"/\" nor control characters, but is \"{}\"", shown(name));
  if (name.size() > kLongestName)
    return fmt::format("must have at most {} bytes, but \"{}\" has {}", kLongestName, shown(name, 40), name.size());
  return std::nullopt;
}

// Options of earlier versions that have no successor. Files of runs that were trained with them can still mask images.
struct GoneOption {
  const char* where;
  const char* name;
  const char* instead;
};
constexpr GoneOption kGoneOptions[] = {
    {"[evaluation]", "threshold_slack",
     "the threshold is chosen on masks of predictors that were not taught the image (folds), which needs no margin; "
     "delete the line"}};

const GoneOption* find_gone(const std::string& where, const std::string& name) {
  const auto* const at = std::find_if(std::begin(kGoneOptions), std::end(kGoneOptions),
                                      [&](const GoneOption& gone) { return where == gone.where && name == gone.name; });
  return at == std::end(kGoneOptions) ? nullptr : at;
}

class Resolver {
 public:
  Resolver(const Document& document, const host::Catalog& catalog, Purpose purpose)
      : document_(document), root_(document.root()), catalog_(catalog), purpose_(purpose) {
    file_place_ = {document.file().string(), 1, 1};
  }

  Pipeline resolve() {
    Pipeline pipeline;
    read_top(pipeline);
    visit_sections(pipeline, [this](const char* name, auto& section) { read_section(name, section); });
    visit_component_sections(pipeline, [&](Kind kind, const char* name, auto& section) {
      if (kind == Kind::sampler && purpose_ == Purpose::predict) {
        sections_.emplace_back(name);  // its library need not be here
        return;
      }
      const auto before = problems_.size();
      read_components(name, kind, section);
      // The only component that no pipeline can do without, unless a section that is wrong was meant to be it.
      if (kind == Kind::predictor && !pipeline.predictor && problems_.size() == before &&
          purpose_ != Purpose::postprocess)
        report(document_.location_of(name), "there is no [predictor]; name one with plugin = \"…\"");
    });
    check_unknown_sections();
    // Options that do not stand on their own are compared only when each of them is right.
    if (problems_.empty() && purpose_ == Purpose::run) {
      cross_check(document_, pipeline, problems_);
    }
    throw_if_wrong();
    return pipeline;
  }

  OptionValues table(const std::string& where, const std::vector<OptionSpec>& specs) {
    auto values = read_options(&root_, where, specs, {});
    throw_if_wrong();
    return values;
  }

 private:
  void throw_if_wrong() {
    if (problems_.empty()) return;
    std::stable_sort(problems_.begin(), problems_.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return std::tie(a.place.file, a.place.line, a.place.column) <
             std::tie(b.place.file, b.place.line, b.place.column);
    });
    throw DiagnosticsError(std::move(problems_));
  }

  void report(const SourceLocation& place, std::string message) { problems_.push_back({place, std::move(message)}); }

  std::string advice(const std::string& name, const std::vector<std::string>& known) const {
    return problems_.size() < kMostAdvised ? did_you_mean(name, known) : "";
  }

  void read_top(Pipeline& pipeline) {
    if (const Node* const node = root_.find("name")) {
      const auto* const text = node->type == Node::Type::scalar ? std::get_if<std::string>(&node->scalar) : nullptr;
      if (text == nullptr) {
        report(node->place, "name must be a text");
      } else if (const auto problem = problem_with_name(*text)) {
        report(node->place, "name " + *problem);
      } else {
        pipeline.name = *text;
      }
    } else {
      pipeline.name = std::filesystem::path(file_place_.file).stem().string();
      if (const auto problem = problem_with_name(pipeline.name)) {
        report(file_place_,
               fmt::format("without a name in the file, a run is called like the file, but that name {}; write "
                           "name = \"…\" at its top",
                           *problem));
      }
    }
    if (const Node* const node = root_.find("seed")) {
      const auto* const number = node->type == Node::Type::scalar ? std::get_if<std::int64_t>(&node->scalar) : nullptr;
      if (number == nullptr || *number < 0) {
        report(node->place, "seed must be an integer of at least 0");
      } else {
        pipeline.seed = *number;
      }
    }
    if (const Node* const node = root_.find("plugin_path")) {
      const auto value = value_of(*node, ValueType::texts);
      if (value && std::holds_alternative<std::vector<std::string>>(*value)) {
        pipeline.plugin_path = plugin_path_of(*node);
        if (const auto problem = problem_with_texts(*value)) report(node->place, "plugin_path " + *problem);
      } else if (node->type != Node::Type::array || !node->array.empty()) {
        report(node->place, "plugin_path must be a list of folders");
      }
    }
  }

  // What a user who wrote the option `key`, which is none of these, may want instead.
  std::string advice(const std::string& key, const std::vector<OptionSpec>& specs) const {
    if (specs.empty()) return "; it has no options";
    std::vector<std::string> names;
    for (const auto& spec : specs) {
      if (std::find(spec.former.begin(), spec.former.end(), key) != spec.former.end())
        return fmt::format(" any more: it is called \"{}\" now", spec.name);
      names.push_back(spec.name);
    }
    return advice(key, names);
  }

  // Values for all of `specs`, from the table or the defaults; problems are noted. `skip`: keys that are no options.
  OptionValues read_options(const Node* table, const std::string& where, const std::vector<OptionSpec>& specs,
                            const std::vector<std::string>& skip) {
    OptionValues values;
    for (const auto& spec : specs)
      values.emplace_back(spec.name, spec.default_value);
    if (table == nullptr) return values;
    std::vector<std::string> names;
    names.reserve(specs.size());
    for (const auto& spec : specs)
      names.push_back(spec.name);
    for (const auto& [key, node] : table->table) {
      if (std::find(skip.begin(), skip.end(), key) != skip.end()) continue;
      const auto at = std::find(names.begin(), names.end(), key);
      if (const auto* const gone = find_gone(where, key)) {
        if (purpose_ == Purpose::run)
          report(node.place, fmt::format("{} has no option \"{}\" any more: {}", where, key, gone->instead));
        continue;
      }
      if (at == names.end()) {
        report(node.place, fmt::format("{} has no option \"{}\"{}", where, shown(key), advice(key, specs)));
        continue;
      }
      const auto& spec = specs[static_cast<std::size_t>(at - names.begin())];
      auto value = value_of(node, spec.type);
      if (spec.path && value && std::holds_alternative<std::string>(*value))
        value = anchored(std::get<std::string>(*value), node.place);
      if (!value) {
        report(node.place, fmt::format("{} must be of type {}", key, type_name(spec.type)));
      } else if (const auto problem = problem_with(spec, *value)) {
        report(node.place, fmt::format("{} {}", key, *problem));
      } else if (const auto unfit = problem_with_texts(*value)) {
        report(node.place, fmt::format("{} {}", key, *unfit));
      } else {
        // Stored in the option's own type, so that 1 and 1.0 give the same resolved file.
        if (spec.type == ValueType::real && std::holds_alternative<std::int64_t>(*value))
          value = static_cast<double>(std::get<std::int64_t>(*value));
        if (type_of(*value) != spec.type)
          value = Value{spec.default_value.index() == 4   ? Value{std::vector<std::int64_t>{}}
                        : spec.default_value.index() == 5 ? Value{std::vector<double>{}}
                                                          : Value{std::vector<std::string>{}}};
        values[static_cast<std::size_t>(at - names.begin())].second = std::move(*value);
      }
    }
    return values;
  }

  template <typename Options>
  void read_section(const std::string& name, Section<Options>& section) {
    sections_.push_back(name);
    const Node* table = root_.find(name);
    if (table != nullptr && table->type != Node::Type::table) {
      report(table->place, fmt::format("{0} must be a table: write [{0}]", name));
      table = nullptr;
    }
    const auto schema = schema_of<Options>();
    section.values = read_options(table, fmt::format("[{}]", name), schema.specs(), {});
    section.options = schema.make(section.values);
  }

  void read_components(const std::string& name, Kind kind, std::optional<ComponentSpec>& section) {
    sections_.push_back(name);
    if (const Node* const table = root_.find(name)) section = read_component(*table, name, kind);
  }

  void read_components(const std::string& name, Kind kind, std::vector<ComponentSpec>& section) {
    sections_.push_back(name);
    const Node* const chain = root_.find(name);
    if (chain == nullptr) return;
    if (chain->type != Node::Type::array) {
      report(chain->place, fmt::format("{0} must be a list of tables: write [[{0}]]", name));
      return;
    }
    for (const auto& node : chain->array) {
      if (auto spec = read_component(node, name, kind)) section.push_back(std::move(*spec));
    }
  }

  std::optional<ComponentSpec> read_component(const Node& table, const std::string& name, Kind kind) {
    const Node* const plugin = table.type == Node::Type::table ? table.find("plugin") : nullptr;
    const auto* const text =
        plugin != nullptr && plugin->type == Node::Type::scalar ? std::get_if<std::string>(&plugin->scalar) : nullptr;
    if (text == nullptr) {
      report(plugin != nullptr ? plugin->place : table.place, fmt::format("[{}] needs plugin = \"…\"", name));
      return std::nullopt;
    }
    // A section can be taken out of an inherited file.
    if (*text == "none") return std::nullopt;
    ComponentSpec spec;
    if (const Node* const library = table.find("library")) {
      const auto* const wanted =
          library->type == Node::Type::scalar ? std::get_if<std::string>(&library->scalar) : nullptr;
      if (wanted == nullptr || wanted->empty() || problem_with_text(*wanted)) {
        report(library->place, "library must be the name of a library's file, such as \"libnbs-x.so\", or its path");
        return std::nullopt;
      }
      spec.library = wanted->find('/') == std::string::npos ? *wanted : anchored(*wanted, library->place);
    }
    const auto* const description = catalog_.find(kind, *text, spec.library);
    if (description == nullptr) {
      report(plugin->place, host::unknown_plugin(catalog_, kind, *text, spec.library));
      return std::nullopt;
    }
    spec.plugin = *text;
    spec.place = table.place;
    spec.hash = description->hash;
    spec.values = read_options(&table, fmt::format("the {} \"{}\"", kind_name(kind), *text), description->options,
                               {"plugin", "library"});
    return spec;
  }

  void check_unknown_sections() {
    std::vector<std::string> known = sections_;
    for (const char* name : {"name", "seed", "plugin_path", "base", "sweep"})
      known.emplace_back(name);
    for (const auto& [key, node] : root_.table) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      report(node.place, fmt::format("a pipeline has no section or key \"{}\"{}", shown(key), advice(key, known)));
    }
  }

  const Document& document_;
  const Node& root_;
  const host::Catalog& catalog_;
  Purpose purpose_;
  SourceLocation file_place_;
  std::vector<std::string> sections_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

Pipeline resolve(const Document& document, const host::Catalog& catalog, Purpose purpose) {
  return Resolver(document, catalog, purpose).resolve();
}

OptionValues read_table(const Document& document, const std::string& where, const std::vector<OptionSpec>& specs) {
  const host::Catalog none;
  return Resolver(document, none, Purpose::run).table(where, specs);
}

}  // namespace nbs::config
