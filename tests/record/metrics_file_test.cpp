// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/metrics_file.h"

#include <cmath>

#include <doctest/doctest.h>

#include "error_text.h"
#include "scratch.h"

using namespace nbs;
using record::read_metrics;

namespace {

record::Metrics metrics_of(const std::string& text) {
  const test::Scratch scratch;
  return read_metrics(scratch.write("metrics.jsonl", text));
}

// "iteration:value" of a curve.
std::string points_of(const record::Metrics& metrics, const std::string& name) {
  std::string text;
  const auto* const curve = metrics.find(name);
  if (curve == nullptr) return "no curve";
  for (const auto& point : curve->points)
    text += (text.empty() ? "" : " ") + std::to_string(static_cast<int>(point.x)) + ":" +
            (std::isnan(point.y) ? "gap" : std::to_string(static_cast<int>(point.y)));
  return text;
}

}  // namespace

TEST_CASE("where a resumed run has written iterations a second time, the second time counts") {
  const std::string first = "{\"iteration\":0,\"a\":1}\n{\"iteration\":1,\"a\":2}\n{\"iteration\":2,\"a\":3}\n";
  CHECK(points_of(metrics_of(first), "a") == "0:1 1:2 2:3");
  // Also where only the last was written again, and where a value is not among what was.
  CHECK(points_of(metrics_of(first + "{\"iteration\":2,\"a\":9}\n"), "a") == "0:1 1:2 2:9");
  CHECK(points_of(metrics_of(first + "{\"iteration\":1,\"a\":8}\n"), "a") == "0:1 1:8");
  const auto other = metrics_of(first + "{\"iteration\":1,\"b\":8}\n");
  CHECK(points_of(other, "a") == "0:1");
  CHECK(points_of(other, "b") == "1:8");
  CHECK(other.iterations == 2);
}

TEST_CASE("null is a gap; texts, lists and a name given twice are no points") {
  const auto metrics = metrics_of("{\"iteration\":0,\"a\":null,\"b\":\"x\",\"c\":[1],\"d\":1,\"d\":2}\n");
  CHECK(points_of(metrics, "a") == "0:gap");
  CHECK(points_of(metrics, "b") == "no curve");
  CHECK(points_of(metrics, "c") == "no curve");
  CHECK(points_of(metrics, "iteration") == "no curve");
  CHECK(metrics.find("d")->points.size() == 1);
  CHECK(metrics.unreadable_lines == 0);
}

TEST_CASE("lines that are no line of metrics are counted, empty ones are not") {
  const std::string end(std::to_string(record::kMostIterations));
  const std::string longer = "{\"iteration\":3,\"a\":" + std::string(66000, ' ') + "1}\n";
  const auto metrics = metrics_of("\n{\"iteration\":0,\"a\":1}\n\n{\"iteration\":-1,\"a\":1}\n{\"iteration\":" + end +
                                  ",\"a\":1}\n" + longer + "{\"iteration\":1,");
  CHECK(metrics.unreadable_lines == 4);
  CHECK(points_of(metrics, "a") == "0:1");
  CHECK(metrics.iterations == 1);
}

TEST_CASE("a file that is not there has no curves; one that cannot be read says why") {
  const test::Scratch scratch;
  const auto none = read_metrics(scratch / "none");
  CHECK(none.curves.empty());
  CHECK(none.problem.empty());
  CHECK(test::text(read_metrics(scratch.path()).problem) == doctest::Contains("it is no regular file (but a folder)"));
}

TEST_CASE("how far a run is, by the end of its metrics") {
  const test::Scratch scratch;
  const auto done = [&](const std::string& text) {
    return record::iterations_done(scratch.write("metrics.jsonl", text));
  };
  CHECK(record::iterations_done(scratch / "none") == 0);
  CHECK(done("") == 0);
  CHECK(done("{\"iteration\":0}\n") == 1);
  CHECK(done("{\"iteration\":0}\n{\"iteration\":7}\n") == 8);
  // The last line may still be written, or be damaged.
  CHECK(done("{\"iteration\":0}\n{\"iteration\":1}\n{\"iteration\":99}") == 2);
  CHECK(done("{\"iteration\":4}\nnoise\n\n{\"iteration\":-3}\n") == 5);
  CHECK(done("{\"iteration\":4}") == 0);
  CHECK(done("noise\n") == 0);
  // Only the end is read, which begins in the middle of a line.
  std::string many;
  for (int i = 0; i < 20000; ++i)
    many += "{\"iteration\":" + std::to_string(i) + "}\n";
  CHECK(done(many) == 20000);
  CHECK(done(std::string(200000, ' ') + "{\"iteration\":3}\n") == 0);
}
