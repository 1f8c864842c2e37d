// SPDX-License-Identifier: Apache-2.0
#include "later_options.h"

#include <doctest/doctest.h>

#include "example_runs.h"
#include "numbers.h"
#include "statistics.h"

using nbs::test::ExampleRun;
using nbs::test::Scratch;
using nbs::test::write_example;
using namespace nbs::report;

namespace {

nbs::host::Catalog catalog_with(const std::string& sampler, const std::string& option) {
  nbs::OptionSpec spec;
  spec.name = option;
  spec.type = nbs::ValueType::text;
  spec.default_value = std::string("taken");
  nbs::host::PluginDescription plugin;
  plugin.kind = nbs::Kind::sampler;
  plugin.name = sampler;
  plugin.options = {spec};
  nbs::host::Catalog catalog;
  catalog.plugins = {plugin};
  return catalog;
}

// Two runs of one pipeline, of which the second was written when there were two options more.
std::vector<RunRecord> runs_of_two_versions(const Scratch& scratch, const std::string& credit) {
  ExampleRun older{"older"};
  ExampleRun newer{"newer"};
  newer.seed = newer.split_seed = 1;
  for (const auto& run : {older, newer})
    write_example(scratch, run);
  auto text = nbs::test::pipeline_text(newer) + "credit = \"" + credit + "\"\n\n[reward]\nclone = \"any\"\n";
  scratch.write("newer/resolved.toml", text);
  return read_runs(scratch.path());
}

}  // namespace

TEST_CASE("options that came later count as their defaults in runs that were there before") {
  const Scratch scratch;
  const auto catalog = catalog_with("rl", "credit");
  auto runs = runs_of_two_versions(scratch, "taken");
  CHECK(group_runs(runs).size() == 2);
  add_later_options(runs, catalog);
  const auto groups = group_runs(runs);
  REQUIRE(groups.size() == 1);
  CHECK(groups.front().runs.size() == 2);
  CHECK(option_text(runs[0], "reward.clone") == "\"any\"");
  CHECK(option_text(runs[1], "train.iterations") == "40");
}

TEST_CASE("a later option that is not its default makes another pipeline, and unknown plugins leave a run as it is") {
  const Scratch scratch;
  auto runs = runs_of_two_versions(scratch, "all");
  add_later_options(runs, catalog_with("rl", "credit"));
  const auto groups = group_runs(runs);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].label + groups[1].label ==
        "crackforest, proposed: sampler.credit = \"all\"crackforest, proposed: sampler.credit = \"taken\"");
  auto others = read_runs(scratch.path());
  const auto before = others[0].options.size();
  add_later_options(others, catalog_with("heuristic", "credit"));
  CHECK(others[0].options.size() == before);
}

TEST_CASE("planned are the iterations of all kinds and of all members") {
  const Scratch scratch;
  write_example(scratch, {"a"});
  const auto text = nbs::test::pipeline_text({"a"});
  auto longer = text;
  longer.insert(longer.find("reinit_every"), "members = 3\npredictor_iterations = 5\nstudent_iterations = 2\n");
  scratch.write("a/resolved.toml", longer);
  CHECK(read_run(scratch / "a").planned == 3 * 47);
  scratch.write("a/resolved.toml", text);
  CHECK(read_run(scratch / "a").planned == 40);
}
