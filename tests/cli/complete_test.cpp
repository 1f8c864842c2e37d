// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nbs/base/files.h"

#include "program.h"

// Completion: what nbs says may come next, and what bash, zsh and fish make of it.

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using nbs::test::Program;

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

Words candidates(const Program& nbs, Words words) {
  words.insert(words.begin(), {"complete", "--"});
  const auto ended = nbs(words);
  CHECK(ended.status == 0);
  CHECK(ended.errors.empty());
  return lines_of(ended.output);
}

bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Runs shell text with nbs on the path, in the program's folder, with its cache; what it printed.
std::string shell(const Program& nbs, const std::string& with, const std::string& text) {
  nbs.folder().write("script", text);
  const auto bin = fs::path(NBS_PROGRAM).parent_path().string();
  const auto status = nbs.with_streams(
      {}, "", "export PATH='" + bin + "':$PATH; " + with + " ./script >output.txt 2>errors.txt; exit $?; ");
  INFO(nbs::read_file(nbs.folder() / "errors.txt"));
  CHECK(status == 0);
  return nbs::read_file(nbs.folder() / "output.txt");
}

bool there_is(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

// What bash offers for a line with the cursor at its end.
Words bash(const Program& nbs, const std::string& line) {
  return lines_of(shell(nbs, "bash --norc",
                        "source '" NBS_SOURCE_DIR "/completions/nbs.bash'\nCOMP_LINE='" + line +
                            "'; COMP_POINT=${#COMP_LINE}\n_nbs\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"));
}

}  // namespace

TEST_CASE("commands, kinds, flags and the values of flags are offered") {
  const Program nbs;
  const auto commands = candidates(nbs, {""});
  CHECK(has(commands, "run"));
  CHECK(has(commands, "test-plugin"));
  CHECK_FALSE(has(commands, "complete"));
  CHECK(candidates(nbs, {"p"}) == Words{"plugins", "postproc", "predict"});
  CHECK(candidates(nbs, {"new", ""}) == Words{"autoencoder", "postprocessor", "predictor", "sampler"});
  CHECK(candidates(nbs, {"predict", "--s"}) == Words{"--size"});
  CHECK(candidates(nbs, {"predict", "--size", ""}) == Words{"model", "native"});
  CHECK(candidates(nbs, {"predict", "--size=n"}) == Words{"--size=native"});
  CHECK(candidates(nbs, {"--ver"}) == Words{"--version"});
  // Files are the shell's own matter.
  CHECK(candidates(nbs, {"run", ""}).empty());
  CHECK(candidates(nbs, {"run", "--out", ""}).empty());
  CHECK(candidates(nbs, {"nonsense", ""}).size() == commands.size());
}

TEST_CASE("names of plugins are offered, also those in a folder that the line names") {
  const Program nbs;
  const auto all = candidates(nbs, {"plugins", ""});
  CHECK(has(all, "rl"));
  CHECK(has(all, "dense_crf"));
  CHECK(candidates(nbs, {"plugins", "r"}) == Words{"random", "rl"});
  CHECK(candidates(nbs, {"postproc", ""}) == Words{"dense_crf", "morphology"});
  CHECK(candidates(nbs, {"tune", "--plugin", "m"}) == Words{"morphology"});
}

TEST_CASE("behind --set stand sections, options, and their values") {
  const Program nbs;
  const auto set = [&](const std::string& word, Words before = {"run"}) {
    before.insert(before.end(), {"--set", word});
    return candidates(nbs, before);
  };
  CHECK(has(set(""), "train.iterations="));
  CHECK(has(set(""), "seed="));
  CHECK(has(set("sampler."), "sampler.plugin="));
  CHECK(has(set("sampler."), "sampler.gamma="));
  CHECK(set("sampler.plugin=") == Words{"sampler.plugin=heuristic", "sampler.plugin=random", "sampler.plugin=rl"});
  CHECK(set("sampler.baseline=") == Words{"sampler.baseline=none", "sampler.baseline=running"});
  CHECK(set("sampler.use_l") == Words{"sampler.use_loss="});
  CHECK(set("sampler.use_loss=t") == Words{"sampler.use_loss=true"});
  // Said once, though two predictors have it.
  CHECK(set("predictor.learning_rate") == Words{"predictor.learning_rate="});
  CHECK(set("data.format=c") == Words{"data.format=crackforest"});
  // A plugin that the line has chosen has only its own options.
  CHECK(set("sampler.", {"run", "--set", "sampler.plugin=random"}) == Words{"sampler.plugin="});
  CHECK(set("sampler.", {"run", "--set=sampler.plugin=random"}) == Words{"sampler.plugin="});
  CHECK(set("postproc.0.min", {"run"}) == Words{"postproc.0.min_area="});
  CHECK(set("min", {"postproc", "morphology"}) == Words{"min_area="});
  CHECK(set("suppressed=", {"postproc", "morphology"}) == Words{"suppressed=below", "suppressed=zero"});
}

TEST_CASE("bash completes commands, flags, plugins and options, also behind the = at which it splits words") {
  const Program nbs;
  CHECK(bash(nbs, "nbs pl") == Words{"plugins"});
  CHECK(bash(nbs, "nbs plugins r") == Words{"random", "rl"});
  CHECK(bash(nbs, "nbs predict --si") == Words{"--size"});
  CHECK(bash(nbs, "nbs run a.toml --set sampler.plu") == Words{"sampler.plugin="});
  CHECK(bash(nbs, "nbs run a.toml --set sampler.plugin=r") == Words{"random", "rl"});
  CHECK(bash(nbs, "nbs run ") == Words{""});
}

TEST_CASE("fish completes them, too") {
  if (!there_is("fish")) {
    MESSAGE("skipped: there is no fish here");
    return;
  }
  const Program nbs;
  const auto fish = [&](const std::string& line) {
    return lines_of(shell(nbs, "fish --no-config",
                          "source '" NBS_SOURCE_DIR "/completions/nbs.fish'\ncomplete -C '" + line + "'\n"));
  };
  CHECK(fish("nbs plugins r") == Words{"random", "rl"});
  CHECK(fish("nbs run --set sampler.plugin=r") == Words{"sampler.plugin=random", "sampler.plugin=rl"});
  nbs.folder().write("pipelines/a.toml", "");
  CHECK(fish("nbs run pipel") == Words{"pipelines/"});
}

TEST_CASE("zsh completes them, too") {
  if (!there_is("zsh")) {
    MESSAGE("skipped: there is no zsh here");
    return;
  }
  const Program nbs;
  // The function by itself, with what zsh would do with its candidates in its place.
  const auto zsh = [&](const std::string& words) {
    return lines_of(shell(nbs, "zsh --no-rcs",
                          "compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- \"$@\" }\n"
                          "_files() { print files }\nwords=(" +
                              words + ")\nCURRENT=$#words\n. '" NBS_SOURCE_DIR "/completions/_nbs'\n"));
  };
  CHECK(has(zsh("nbs plugins r"), "random"));
  CHECK(has(zsh("nbs run --set sampler.plugin=r"), "sampler.plugin=rl"));
  CHECK(zsh("nbs run ''") == Words{"files"});
}
