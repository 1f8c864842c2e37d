// SPDX-License-Identifier: Apache-2.0
#include "nbs/config/sweep.h"

#include <chrono>

#include "example.h"

using namespace nbs;
using Texts = std::vector<std::string>;

namespace {

std::vector<config::SweepCell> cells_of(const std::string& sweep) {
  return config::expand(config::Document::from_text(test::kGood + sweep, "p.toml"));
}

Texts labels_of(const std::string& sweep) {
  Texts labels;
  for (const auto& cell : cells_of(sweep))
    labels.push_back(cell.label);
  return labels;
}

Texts problems_of_sweep(const std::string& sweep) {
  return test::problems_of([&] { cells_of(sweep); });
}

config::Pipeline resolved_cell(const config::SweepCell& cell) {
  CHECK(cell.document.root().find("sweep") == nullptr);
  return config::resolve(cell.document, test::example_catalog());
}

}  // namespace

TEST_CASE("a file without a sweep is one cell without a label") {
  CHECK(labels_of("") == Texts{""});
  CHECK(labels_of("[sweep]\n") == Texts{""});
}

TEST_CASE("a grid is the product of its lists, the first varying slowest") {
  const auto cells = cells_of("[sweep.grid]\nseed = [5, 6]\n\"sampler.step\" = [1, 2, 3]\n");
  REQUIRE(cells.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto seed = static_cast<std::int64_t>(5 + i / 3);
    const auto step = static_cast<std::int64_t>(1 + i % 3);
    const auto pipeline = resolved_cell(cells[i]);
    CHECK(pipeline.seed == seed);
    CHECK(test::value_of(*pipeline.sampler, "step") == Value{step});
    CHECK(cells[i].label == "seed=" + std::to_string(seed) + ", sampler.step=" + std::to_string(step));
  }
}

TEST_CASE("lists of a zip are taken in step, and combined with the grid") {
  CHECK(labels_of("[sweep.zip]\nseed = [0, 1]\n\"data.split_seed\" = [7, 8]\n[sweep.grid]\n\"sampler.jump\" = [true, "
                  "false]\n") ==
        Texts{"seed=0, data.split_seed=7, sampler.jump=true", "seed=0, data.split_seed=7, sampler.jump=false",
              "seed=1, data.split_seed=8, sampler.jump=true", "seed=1, data.split_seed=8, sampler.jump=false"});
  const auto cells = cells_of("[sweep.zip]\nseed = [0, 1]\n\"data.split_seed\" = [7, 8]\n");
  REQUIRE(cells.size() == 2);
  CHECK(resolved_cell(cells[1]).seed == 1);
  CHECK(resolved_cell(cells[1]).data.options.split_seed == 8);
  // Of a table the plugin tells which it is.
  CHECK(labels_of("[sweep]\ngrid = {sampler = [{plugin = \"walk\"}, {plugin = \"walk\", step = 3}]}\n") ==
        Texts{"sampler={walk}", "sampler={walk, …}"});
  CHECK(labels_of("[sweep]\nzip = {}\ngrid = {seed = [1]}\n") == Texts{"seed=1"});
}

TEST_CASE("an exclusion takes out the cells that match all of its entries") {
  CHECK(labels_of("[sweep]\ngrid = {seed = [0, 1], \"sampler.plugin\" = [\"walk\", \"still\"]}\n"
                  "exclude = [{seed = 1, \"sampler.plugin\" = \"still\"}]\n") ==
        Texts{"seed=0, sampler.plugin=walk", "seed=0, sampler.plugin=still", "seed=1, sampler.plugin=walk"});
  CHECK(labels_of("[sweep]\ngrid = {\"autoencoder.channels\" = [[1], [1, 2], []]}\n"
                  "exclude = [{\"autoencoder.channels\" = [1]}, {\"autoencoder.channels\" = []}]\n") ==
        Texts{"autoencoder.channels=[1, 2]"});
  // Values of different types are different values.
  CHECK(labels_of("[sweep]\ngrid = {\"train.alpha\" = [1, 1.0, \"1\", \"1.0\", true, \"true\"]}\n"
                  "exclude = [{\"train.alpha\" = 1}, {\"train.alpha\" = \"1.0\"}, {\"train.alpha\" = true}]\n") ==
        Texts{"train.alpha=1.0", "train.alpha=1", "train.alpha=true"});
}

TEST_CASE("a plugin that is swept over drops the options of the file's, not those that are swept over") {
  // Whatever is listed first.
  for (const char* grid : {"\"sampler.step\" = [2]\n\"sampler.plugin\" = [\"walk\", \"still\"]\n",
                           "\"sampler.plugin\" = [\"walk\", \"still\"]\n\"sampler.step\" = [2]\n"}) {
    const auto cells = cells_of(std::string("[sweep.grid]\n") + grid);
    REQUIRE(cells.size() == 2);
    CHECK(resolved_cell(cells[0]).sampler->plugin == "walk");
    CHECK(resolved_cell(cells[1]).sampler->plugin == "still");
    for (const auto& cell : cells)
      CHECK(test::value_of(*resolved_cell(cell).sampler, "step") == Value{std::int64_t{2}});
  }
}

TEST_CASE("a value of a sweep that is not allowed is shown at its place") {
  const auto cells = cells_of("[sweep.grid]\n\"sampler.step\" = [2,\n  99]\n");
  REQUIRE(cells.size() == 2);
  CHECK(test::problems_of([&] { resolved_cell(cells[0]); }).empty());
  CHECK(test::problems_of([&] { resolved_cell(cells[1]); }) == Texts{"p.toml:9:3: step must be at most 64, but is 99"});
}

TEST_CASE("everything that is wrong with a sweep is said at once") {
  CHECK(
      problems_of_sweep("[sweep]\ngird = {seed = [1]}\nzip = {seed = []}\nexclude = {seed = 1}\ngrid = {seed = 3}\n") ==
      Texts{"p.toml:8:1: [sweep] has grid, zip and exclude, but no \"gird\"; did you mean \"grid\"?",
            "p.toml:9:8: seed of the sweep must be a list with at least one value",
            "p.toml:10:1: exclude must be a list of tables",
            "p.toml:11:9: seed of the sweep must be a list with at least one value"});
  CHECK(problems_of_sweep("[sweep]\ngrid = [1]\nzip = 3\n") ==
        Texts{"p.toml:8:1: grid must be a table of lists", "p.toml:9:1: zip must be a table of lists"});
  CHECK(problems_of_sweep("[sweep.zip]\nseed = [0, 1, 2]\n\"data.split_seed\" = [0, 1]\n") ==
        Texts{"p.toml:9:1: the lists of zip must have one length, but data.split_seed has 2 values and one before it "
              "has 3"});
}

TEST_CASE("names in a sweep that would do nothing are refused") {
  CHECK(test::problems_of([] { config::expand(config::Document::from_text("sweep = [1, 2]\n", "p.toml")); }) ==
        Texts{"p.toml:1:1: sweep must be a table: write [sweep] or [sweep.grid]"});
  CHECK(problems_of_sweep("[sweep.grid]\nsampler.plugin = [\"walk\"]\n") ==
        Texts{"p.toml:8:1: sampler of the sweep must be a list with at least one value; quote names with dots: "
              "\"sampler.plugin\" = […]"});
  CHECK(problems_of_sweep("[sweep]\ngrid = {\"sampler.step\" = [1, 2]}\nexclude = [{\"sampler.stpe\" = 1}, 3, {}]\n") ==
        Texts{"p.toml:9:13: exclude names sampler.stpe, which is neither in grid nor in zip; did you mean "
              "\"sampler.step\"?",
              "p.toml:9:34: an entry of exclude must be a table such as { \"sampler.plugin\" = \"rl\" }",
              "p.toml:9:37: an entry of exclude must be a table such as { \"sampler.plugin\" = \"rl\" }"});
  CHECK(problems_of_sweep("[sweep]\ngrid = {seed = [1, 2]}\nzip = {seed = [1, 2]}\n") ==
        Texts{"p.toml:8:17: seed is in grid and in zip; keep one of them"});
  CHECK(problems_of_sweep("[sweep]\ngrid = {seed = [1, 2]}\nexclude = [{seed = 1}, {seed = 2}]\n") ==
        Texts{"p.toml:7:2: [sweep] excludes all of its cells; nothing would run"});
}

TEST_CASE("an entry of a list that no list has is no option to sweep over, however large its number") {
  const auto cells = cells_of("[[postproc]]\nplugin = \"open\"\n[sweep.grid]\n\"postproc.0.radius\" = [1, 2]\n");
  CHECK(cells.size() == 2);
  for (const char* number : {"1", "4294967296", "99999999999999999999999"}) {
    CAPTURE(number);
    const auto problems = problems_of_sweep("[[postproc]]\nplugin = \"open\"\n[sweep.grid]\n\"postproc." +
                                            std::string(number) + ".radius\" = [1]\n");
    REQUIRE(problems.size() == 1);
    CHECK(test::text(problems[0]) == doctest::Contains("does not name one of the 1 entries"));
  }
}

TEST_CASE("an override of an option that the sweep goes through is refused: it would be lost") {
  const std::string sweep = "[sweep.zip]\nseed = [0, 1]\n[sweep.grid]\n\"sampler.step\" = [1, 2]\n";
  const auto expand_with = [&](const std::vector<std::string>& overrides) {
    auto document = config::Document::from_text(test::kGood + sweep, "p.toml");
    document.apply(overrides);
    return config::expand(document);
  };
  const auto problems = test::problems_of([&] { expand_with({"seed=7", "sampler.step=3", "data.count=9"}); });
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].find("--set sampler.step=3: [sweep.grid] sets sampler.step too") == 0);
  CHECK(problems[1].find("--set seed=7: [sweep.zip] sets seed too") == 0);
  CHECK(problems[1].find("add --set sweep.zip={}") != std::string::npos);
  // As the sentence advises.
  const auto cells = expand_with({"seed=7", "sweep.zip={}"});
  REQUIRE(cells.size() == 2);
  for (const auto& cell : cells)
    CHECK(resolved_cell(cell).seed == 7);
}

namespace {

// A grid of `lists` lists with `values` values each.
std::string grid_of(int lists, int values) {
  std::string text = "[sweep.grid]\n";
  for (int i = 0; i < lists; ++i) {
    text += "\"experiment.x" + std::to_string(i) + "\" = [";
    for (int j = 0; j < values; ++j)
      text += std::to_string(j) + ", ";
    text += "]\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a sweep of more cells than can be run is refused with their number, before anything is made") {
  const auto problem = [](const std::string& sweep) {
    const auto problems = problems_of_sweep(sweep);
    return test::text(problems.size() == 1 ? problems[0] : "other problems");
  };
  CHECK(labels_of(grid_of(2, 100)).size() == 10000);
  CHECK(problem(grid_of(2, 101)) ==
        "p.toml:7:2: [sweep] makes 10201 cells (before exclude), more than 10000; shorten its lists, take some in step "
        "with zip, or split the file");
  CHECK(problem(grid_of(3, 1000)) == doctest::Contains("makes 1000000000 cells"));
  // More than any integer holds.
  CHECK(problem(grid_of(30, 100)) == doctest::Contains("makes at least 18446744073709551615 cells"));
  CHECK(problem(grid_of(101, 1)) == doctest::Contains("grid lists 101 options, but a sweep goes through at most 100"));
  // Memory is what all cells together hold.
  std::string list = "[data]\nanomalous_labels = [";
  for (int i = 0; i < 1000; ++i)
    list += "1, ";
  CHECK(problem(list + "]\n" + grid_of(2, 100)) == doctest::Contains("makes 10000 cells of a file with 10"));
}

TEST_CASE("long lists of exclusions are compared in no time") {
  std::string exclude = "[sweep]\nexclude = [";
  for (int i = 0; i < 10000; ++i)
    exclude += "{\"experiment.x0\" = " + std::to_string(i % 100) +
               ", \"experiment.x1\" = " + std::to_string(i / 100 + 1) + "},";
  const auto start = std::chrono::steady_clock::now();
  // Of each x0, only x1 = 0 is left.
  CHECK(labels_of(exclude + "]\n" + grid_of(2, 100)).size() == 100);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(test::text(problems_of_sweep(exclude + "{\"experiment.x0\" = 1}]\n" + grid_of(2, 100)).at(0)) ==
        doctest::Contains("exclude has 10001 entries, more than 10000"));
}

TEST_CASE("a sweep goes through options of a run, each once") {
  const auto problem = [](const std::string& line) {
    const auto problems = problems_of_sweep("[sweep.grid]\n" + line + "\n");
    return problems.size() == 1 ? problems[0] : "other problems";
  };
  CHECK(problem("base = [\"a.toml\"]") ==
        "p.toml:8:9: a sweep cannot go through base, as bases are read before it; write one file for each");
  CHECK(problem("sweep = [1, 2]") == "p.toml:8:10: a sweep cannot go through [sweep] itself");
  CHECK(problem("\"sweep.grid\" = [1, 2]") == "p.toml:8:17: a sweep cannot go through [sweep] itself");
  CHECK(problem("\"train.\" = [1, 2]") ==
        "p.toml:8:13: the name \"train.\" has an empty part; write it like train.iterations");
  CHECK(problem("\"sampler\" = [{plugin = \"walk\"}]\n\"sampler.step\" = [1, 2]") ==
        "p.toml:9:19: sampler and sampler.step set the same values twice; keep one of them");
}
