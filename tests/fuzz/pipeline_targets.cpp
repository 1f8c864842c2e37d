// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <stdexcept>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"
#include "nbs/config/sweep.h"
#include "nbs/host/catalog.h"

#include "target.h"

namespace nbs::fuzz {

namespace {

namespace fs = std::filesystem;

OptionSpec option(const char* name, Value value) {
  OptionSpec spec;
  spec.name = name;
  spec.type = type_of(value);
  spec.default_value = std::move(value);
  return spec;
}

// Plugins by the names that the seeds use, with an option of every type.
const host::Catalog& catalog() {
  static const host::Catalog made = [] {
    host::Catalog all;
    const auto add = [&all](Kind kind, const char* name) {
      host::PluginDescription plugin;
      plugin.kind = kind;
      plugin.name = name;
      plugin.options = {option("step", std::int64_t{4}),
                        option("rate", 0.1),
                        option("start", std::string("center")),
                        option("jump", false),
                        option("channels", std::vector<std::int64_t>{16, 32}),
                        option("rates", std::vector<double>{0.5}),
                        option("inputs", std::vector<std::string>{"image"})};
      plugin.options[0].minimum = 1;
      plugin.options[0].maximum = 64;
      plugin.options[6].choices = {"image", "profile"};
      all.plugins.push_back(std::move(plugin));
    };
    add(Kind::sampler, "rl");
    add(Kind::sampler, "random");
    add(Kind::autoencoder, "conv");
    add(Kind::predictor, "dilated");
    add(Kind::predictor, "unet");
    add(Kind::postprocessor, "dense_crf");
    return all;
  }();
  return made;
}

const char* const kPlain =
    "name = \"plain\"\nseed = 3\nplugin_path = [\"/opt/plugins\"]\n\n[data]\nformat = \"synthetic\"\nimage_size = 64\n"
    "labeled = 2\ncount = 6\nanomalous_labels = [2, 3]\n\n[profile]\npatch_size = 16\nlength = 4\n\n[train]\n"
    "iterations = 64\nreinit_every = 16\nalpha = 0.125\n\n[buffer]\ncrop = 32\n\n[sampler]\nplugin = \"rl\"\nstep = 8\n"
    "jump = true\n\n[autoencoder]\nplugin = \"conv\"\nchannels = [4, 8]\nrates = [0.1, 1e-3]\n\n[predictor]\n"
    "plugin = \"dilated\"\ninputs = [\"profile\", \"image\"]\nstart = \"a \\\"quoted\\\" text\\n\"\n\n[[postproc]]\n"
    "plugin = \"dense_crf\"\nrate = 0.5\n";

const char* const kSweep =
    "name = \"sweep\"\n[data]\nimage_size = 64\n[buffer]\ncrop = 0\n[predictor]\nplugin = \"unet\"\n"
    "[sweep.grid]\n\"predictor.plugin\" = [\"unet\", \"dilated\"]\n\"train.iterations\" = [400, 800]\n"
    "[sweep.zip]\nseed = [0, 1, 2]\n\"data.split_seed\" = [0, 1, 2]\n"
    "[[sweep.exclude]]\n\"predictor.plugin\" = \"dilated\"\n\"train.iterations\" = 400\n";

const char* const kBased =
    "base = [\"plain.toml\"]\nseed = 1\n[predictor]\nplugin = \"unet\"\n[train]\niterations = 100 # more\n";

// What resolves must resolve to itself from its resolved form.
void check_round_trip(const config::Document& document) {
  const auto pipeline = config::resolve(document, catalog());
  const auto text = config::to_toml(pipeline);
  std::string again;
  try {
    again = config::to_toml(config::resolve(config::Document::from_text(text, "resolved.toml"), catalog()));
  } catch (const Error& error) {
    throw std::logic_error(std::string("the resolved form is refused: ") + error.what() + "\n" + text);
  }
  if (again != text) throw std::logic_error("the resolved form changes when it is read:\n" + text + "\n" + again);
}

void read_pipeline(const std::string& text, const fs::path& scratch, const std::vector<std::string>& overrides) {
  write_file(scratch / "plain.toml", kPlain);
  auto document = config::Document::from_text(text, scratch / "fuzz.toml");
  document.apply(overrides);
  const auto cells = config::expand(document);
  for (std::size_t i = 0; i < cells.size() && i < 8; ++i) {
    check_round_trip(cells[i].document);
    config::check_memory(cells[i].document, config::resolve(cells[i].document, catalog()), 1e9);
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

const std::vector<std::string> kWords = {
    "\"\"\"",    "'''",        "[[",      "]]",      "{",    "}",    "[",    "]",       ".",     "=",
    ",",         "#",          "\\u0000", "\\uD800", "\xff", "none", "true", "base = ", "sweep", "[sweep.grid]",
    "plugin = ", "1979-05-27", "\n",      "a.b.c.d", "../",  "\"\""};

}  // namespace

Target toml_target() {
  Target target;
  target.name = "toml";
  target.is_text = true;
  target.seeds = {{"plain.toml", kPlain}, {"sweep.toml", kSweep}, {"based.toml", kBased}};
  target.words = kWords;
  target.read = [](const Seed& input, const fs::path& scratch) { read_pipeline(input.bytes, scratch, {}); };
  return target;
}

Target override_target() {
  Target target;
  target.name = "set";
  target.is_text = true;
  target.seeds = {
      {"one.txt", "train.iterations=100\nsampler.plugin=random\nsampler.step=2\n"},
      {"two.txt", "postproc.0.rate=0.25\nautoencoder.channels=[1, 2]\nautoencoder.channels.1=5\nname=two words\n"},
      {"three.txt",
       "sweep.zip.\"data.split_seed\"=[0, 1]\nsweep.grid={}\ndata.format=folder\ndata.root=.\nplugin_path=[\"x\"]\n"}};
  target.words = kWords;
  target.read = [](const Seed& input, const fs::path& scratch) {
    // Words of a command line hold no NUL.
    auto text = input.bytes;
    text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
    read_pipeline(kPlain, scratch, lines_of(text));
  };
  return target;
}

}  // namespace nbs::fuzz
