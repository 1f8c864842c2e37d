// SPDX-License-Identifier: Apache-2.0
#include "statistics.h"

#include <doctest/doctest.h>

#include "nbs/report/report.h"

#include "example_runs.h"
#include "markup.h"
#include "numbers.h"

using namespace nbs::report;
using namespace nbs::test;
using doctest::Approx;

TEST_CASE("mean and deviation of numbers near the end of their range are no overflow") {
  const auto found = statistic({1e300, 3e300});
  REQUIRE(found.has_value());
  CHECK(found->mean / 1e300 == Approx(2));
  CHECK(found->deviation.value() / 1e300 == Approx(1.41421356));
  CHECK_FALSE(statistic({}).has_value());
  CHECK_FALSE(statistic({1}).value().deviation.has_value());
}

TEST_CASE("a text in CSV is quoted where it must be, its quotes doubled") {
  CHECK(csv_text("plain text") == "plain text");
  CHECK(csv_text("a,b") == "\"a,b\"");
  CHECK(csv_text("a \"b\"") == "\"a \"\"b\"\"\"");
  CHECK(csv_text("a\nb") == "\"a\nb\"");
}

TEST_CASE("re-initializations are marked as long as they can be told apart") {
  const Scratch scratch;
  write_example(scratch, {"a"});  // anew every 10 iterations
  const auto page_of = [&](int iterations) {
    std::string metrics;
    for (int i = 0; i < iterations; ++i)
      metrics += "{\"iteration\":" + std::to_string(i) + ",\"ae_loss\":1}\n";
    scratch.write("a/metrics.jsonl", metrics);
    write_run_report(scratch / "a");
    return contents(scratch / "a/report.html");
  };
  const std::string legend = "Dotted: the autoencoder starts anew.";
  CHECK(page_of(10).find(legend) == std::string::npos);
  CHECK(page_of(11).find(legend) != std::string::npos);
  CHECK(page_of(610).find(legend) != std::string::npos);
  CHECK(page_of(611).find(legend) == std::string::npos);
}

TEST_CASE("a run that its patience has ended says so") {
  const Scratch scratch;
  ExampleRun run{"a"};
  run.ending = "patience";
  write_example(scratch, run);
  write_run_report(scratch / "a");
  CHECK(contents(scratch / "a/report.html").find("stopped by train.patience after 40 of 40 iterations") !=
        std::string::npos);
}

TEST_CASE(
    "runs of one pipeline with different builds of a plugin are different methods, told apart by version and hash") {
  const Scratch scratch;
  const auto write = [&](const char* folder, int seed, const std::string& hash) {
    ExampleRun run;
    run.folder = folder;
    run.seed = seed;
    write_example(scratch, run);
    scratch.write(run.folder + "/provenance.json",
                  "{\"nbs\": \"0.1.0\", \"plugins\": [{\"kind\": \"sampler\", \"name\": \"rl\", \"version\": \"1.0\", "
                  "\"file\": \"librl.so\", \"sha256\": \"" +
                      hash + "\"}]}");
  };
  write("a", 0, "1111111122");
  write("b", 1, "1111111122");
  write("c", 2, "3333333344");
  const auto groups = group_runs(read_runs(scratch.path()));
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].label == "crackforest, proposed: sampler rl 1.0 (11111111)");
  CHECK(groups[0].runs.size() == 2);
  CHECK(groups[1].label == "crackforest, proposed: sampler rl 1.0 (33333333)");
}
