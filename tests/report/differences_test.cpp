// SPDX-License-Identifier: Apache-2.0
#include "differences.h"

#include <doctest/doctest.h>

#include "nbs/report/report.h"

#include "example_runs.h"
#include "markup.h"

using namespace nbs::report;
using namespace nbs::test;
using doctest::Approx;

namespace {

// Two pipelines: splits 0, 1, 2 of the first, 1, 2, 3 of the second, with two seeds of its split 2.
void write_two(const Scratch& scratch) {
  write_example(scratch, {"a0", "crackforest", "proposed", 0, 0, "0.9", "finished", "rl"});
  write_example(scratch, {"a1", "crackforest", "proposed", 0, 1, "0.5", "finished", "rl"});
  write_example(scratch, {"a2", "crackforest", "proposed", 0, 2, "0.6", "finished", "rl"});
  write_example(scratch, {"b1", "crackforest", "proposed", 0, 1, "0.4", "finished", "random"});
  write_example(scratch, {"b2", "crackforest", "proposed", 0, 2, "0.2", "finished", "random"});
  write_example(scratch, {"b2b", "crackforest", "proposed", 1, 2, "0.4", "finished", "random"});
  write_example(scratch, {"b3", "crackforest", "proposed", 0, 3, "0.1", "finished", "random"});
}

std::string difference_part(const std::string& html) {
  return part_of(html, "Differences to a baseline");
}

}  // namespace

TEST_CASE("a difference is the mean over common splits, in each of which the seeds count as one") {
  const Scratch scratch;
  write_two(scratch);
  const auto runs = read_runs(scratch.path());
  const auto groups = group_runs(runs);
  REQUIRE(groups.size() == 2);
  REQUIRE(groups[0].runs.front()->name == "a0");
  const auto difference = paired_difference(groups[0], groups[1]);
  REQUIRE(difference.has_value());
  CHECK(difference->splits == 2);
  // Split 1: 0.5 - 0.4; split 2: 0.6 - 0.3.
  CHECK(difference->mean == Approx(0.2));
  const auto interval = nbs::record::mean_interval({0.1, 0.3});
  REQUIRE(difference->interval.has_value());
  CHECK(difference->interval->low == Approx(interval->low));
  CHECK(difference->interval->high == Approx(interval->high));
  const auto other = paired_difference(groups[1], groups[0]);
  CHECK(other->mean == Approx(-0.2));
}

TEST_CASE("pipelines on other data, or on no common split, are not compared; one split gives no interval") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.9", "finished", "rl"});
  write_example(scratch, {"b", "crackforest", "proposed", 0, 1, "0.5", "finished", "random"});
  write_example(scratch, {"c", "nanotwice", "proposed", 0, 0, "0.5", "finished", "rl"});
  write_example(scratch, {"d", "crackforest", "proposed", 0, 0, "0.7", "finished", "heuristic"});
  ExampleRun elsewhere{"e", "crackforest", "proposed", 0, 0, "0.7", "finished", "heuristic"};
  write_example(scratch, elsewhere);
  auto text = pipeline_text(elsewhere);
  scratch.write("e/resolved.toml", text.replace(text.find("[data]\n"), 7, "[data]\nroot = \"/other\"\n"));
  const auto runs = read_runs(scratch.path());
  const auto groups = group_runs(runs);
  REQUIRE(groups.size() == 5);
  const auto group_of = [&](const std::string& name) -> const Group& {
    for (const auto& group : groups) {
      if (group.runs.front()->name == name) return group;
    }
    throw std::runtime_error("no such group");
  };
  CHECK_FALSE(paired_difference(group_of("b"), group_of("a")).has_value());
  CHECK_FALSE(paired_difference(group_of("c"), group_of("a")).has_value());
  CHECK_FALSE(paired_difference(group_of("e"), group_of("a")).has_value());
  const auto one = paired_difference(group_of("d"), group_of("a"));
  REQUIRE(one.has_value());
  CHECK(one->mean == Approx(-0.2));
  CHECK_FALSE(one->interval.has_value());
}

TEST_CASE("the page has a table for each baseline, of which one is shown, with differences and their ends") {
  const Scratch scratch;
  write_two(scratch);
  write_folder_report(scratch.path());
  const auto html = contents(scratch / "index.html");
  CHECK(markup_problem(html) == "");
  const auto part = difference_part(html);
  CHECK(count_of(part, "class=\"differences\"") == 2);
  CHECK(count_of(part, "hidden=\"\"") == 1);
  // The one with four runs is first the baseline.
  CHECK(part.find("data-baseline=\"crackforest, proposed: sampler.plugin = &quot;random&quot;\">") !=
        std::string::npos);
  CHECK(part.find("<td class=\"n\">2</td><td class=\"n\" data-key=\"0.2\">+0.200</td>") != std::string::npos);
  CHECK(part.find("<td class=\"n\">2</td><td class=\"n\" data-key=\"-0.2\">−0.200</td>") != std::string::npos);
}

TEST_CASE("a single pipeline has no baseline to differ from") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.9"});
  write_folder_report(scratch.path());
  CHECK(difference_part(contents(scratch / "index.html")).empty());
}
