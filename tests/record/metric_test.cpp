// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/metric.h"

#include <limits>
#include <set>

#include <doctest/doctest.h>

#include "nbs/base/files.h"
#include "nbs/record/metrics_file.h"

#include "scratch.h"

using namespace nbs;
using record::IterationMetrics;

namespace {

IterationMetrics all_values() {
  IterationMetrics values;
  values.iteration = 7;
  double number = 0.5;
  for (const auto& metric : record::all_metrics()) {
    if (metric.value != nullptr) values.*metric.value = number++;
  }
  values.sampler = {{"entropy", 2.25}, {"return", -1}};
  return values;
}

}  // namespace

TEST_CASE("a line has the declared order; what an iteration did not produce is left out") {
  CHECK(record::metrics_line(all_values()) ==
        "{\"iteration\":7,\"ae_loss\":0.5,\"loss_ratio\":1.5,\"l_pred\":2.5,\"r_clone\":3.5,\"coverage\":4.5,\"beta\":"
        "5.5,"
        "\"r_pred\":6.5,\"sampler_entropy\":2.25,\"sampler_return\":-1.0,\"l_pred_smoothed\":7.5,\"best\":8.5}");
  IterationMetrics few;
  few.beta = 1;
  few.l_pred = std::numeric_limits<double>::infinity();
  few.sampler = {{"\xFF", std::numeric_limits<double>::quiet_NaN()}};
  CHECK(record::metrics_line(few) == "{\"iteration\":0,\"l_pred\":null,\"beta\":1.0,\"sampler_\xEF\xBF\xBD\":null}");
}

TEST_CASE("lines come back as curves of the same names and values") {
  const test::Scratch scratch;
  const auto values = all_values();
  const auto file = scratch.write("metrics.jsonl", record::metrics_line(values) + "\n");
  const auto read = record::read_metrics(file);
  CHECK(read.iterations == 8);
  CHECK(read.unreadable_lines == 0);
  CHECK(read.curves.size() == 11);
  for (const auto& curve : read.curves) {
    CAPTURE(curve.name);
    REQUIRE(curve.points.size() == 1);
    CHECK(curve.points[0].y == values.value(curve.name));
  }
}

TEST_CASE("progress shows the most telling values first") {
  std::string names;
  for (const auto& [name, value] : record::progress_values(all_values()))
    names += name + " ";
  CHECK(names == "l_pred_smoothed ae_loss loss_ratio beta r_clone coverage ");
}

TEST_CASE("every metric is declared whole, and every plot has a curve") {
  std::set<std::string> names;
  std::set<record::Plot> plots;
  for (const auto& metric : record::all_metrics()) {
    CAPTURE(metric.name);
    CHECK(names.insert(metric.name).second);
    CHECK(std::string(metric.meaning) != "");
    CHECK(std::string(metric.range) != "");
    CHECK((metric.plot == record::Plot::none) == std::string(metric.curve).empty());
    plots.insert(metric.plot);
  }
  for (const auto& info : record::metric_plots())
    CHECK(plots.count(info.plot) == 1);
  CHECK(record::metric_plots().size() + 1 == plots.size());
}

TEST_CASE("the table in docs/output.md is the declaration's") {
  const auto document = read_file(NBS_SOURCE_DIR "/docs/output.md");
  INFO("the table must be:\n" << record::metrics_table());
  CHECK(document.find("\n" + record::metrics_table() + "\n") != std::string::npos);
}
