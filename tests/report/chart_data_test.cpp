// SPDX-License-Identifier: Apache-2.0
#include "chart_data.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "curve_points.h"
#include "markup.h"

using namespace nbs::report;
using namespace nbs::test;
using nbs::record::Curve;
using Json = nlohmann::ordered_json;

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

Plot plot_of(std::vector<PlotCurve> curves) {
  Plot plot;
  plot.title = "losses";
  plot.curves = std::move(curves);
  return plot;
}

}  // namespace

TEST_CASE("no text of a file can end the element that it stands in, and bytes that are no UTF-8 stop nothing") {
  const std::string evil = "</script><script>alert(1)</script><!-- \" \\ \xFF";
  const auto html = json_element({{"name", evil}}, " id=\"x\"");
  CHECK(markup_problem(html) == "");
  CHECK(count_of(html, "<script") == 1);
  CHECK(count_of(html, "</") == 1);
  CHECK(count_of(html, "<!--") == 0);
  const auto back = Json::parse(json_elements(html).at(0)).at("name").get<std::string>();
  CHECK(back == "</script><script>alert(1)</script><!-- \" \\ \xEF\xBF\xBD");
}

TEST_CASE("a row of a chart has an iteration and each curve's value there; where a curve has none it is joined over") {
  const Curve a{"a", {{0, 1}, {1, 2}, {2, 4.00049}}};
  const Curve b{"b", {{0, 7}, {2, 9}}};
  const auto json = chart_data(plot_of({{"first", &a, 0, false}, {"second", &b, 2, true}}), true);
  CHECK(json.at("rows") == Json::parse("[[0, 1.0, 7.0], [1, 2.0, null], [2, 4.0, 9.0]]"));
  CHECK(json.at("curves").at(0).at("name") == "first");
  CHECK(json.at("curves").at(1).at("color") == 2);
  CHECK(json.at("logarithmic") == true);
  CHECK_FALSE(json.contains("bars"));
}

TEST_CASE("a curve is broken where it has no number and where it was not reported for a while") {
  const Curve a{"a", {{0, 1}, {1, 2}, {2, kNothing}, {3, 3}, {4, 4}, {7, 5}}};
  const auto json = chart_data(plot_of({{"a", &a, 0, false}}), false);
  CHECK(json.at("rows") == Json::parse("[[0,1.0],[1,2.0],[2,\"NaN\"],[3,3.0],[4,4.0],[5.5,\"NaN\"],[7,5.0]]"));
}

TEST_CASE("a curve with a band has its lower end, itself and its upper end in a row, one without has itself thrice") {
  const Curve middle{"", {{1, 2}, {2, 3}}};
  const Curve low{"", {{1, 1.5}, {2, 2.5}}};
  const Curve high{"", {{1, 8}, {2, 9}}};
  auto plot = plot_of({{"median", &middle, 0, false}, {"mean", &low, 1, true}});
  plot.bands = {{0, &low, &high}};
  const auto json = chart_data(plot, false);
  CHECK(json.at("bars") == true);
  CHECK(json.at("rows") == Json::parse("[[1,[1.5,2.0,8.0],[1.5,1.5,1.5]],[2,[2.5,3.0,9.0],[2.5,2.5,2.5]]]"));
}

TEST_CASE("points that are not joined each have a row, also several at one place") {
  const Curve mean{"", {{0, 0.5}, {1, 0.75}}};
  const Curve runs{"", {{1, 0.7}, {0, 0.5}, {1, 0.8}}};
  auto plot = plot_of({{"mean", &mean, 0, false}});
  plot.points = {{"runs", &runs, 1}};
  plot.steps = {"\"rl\"", "\"random\""};
  plot.best = 1;
  plot.ticks_at = {0.5};
  const auto json = chart_data(plot, false);
  const auto& rows = json.at("rows");
  REQUIRE(rows.size() == 5);
  int pairs = 0;
  double last = -1;
  for (const auto& row : rows) {
    CHECK(row.at(0).get<double>() >= last);
    last = row.at(0).get<double>();
    pairs += row.at(1).is_null() != row.at(2).is_null() ? 1 : 0;
  }
  CHECK(pairs == 5);
  CHECK(json.at("curves").at(1).at("points") == true);
  CHECK(json.at("steps") == Json::parse(R"(["\"rl\"", "\"random\""])"));
  CHECK(json.at("marks") == Json::parse(R"([{"x": 0.5}, {"x": 1.0, "strong": true}])"));
}

TEST_CASE("a long curve keeps its peaks, and numbers four digits") {
  Curve curve{"", {}};
  for (int i = 0; i < 50000; ++i)
    curve.points.push_back({static_cast<double>(i), i == 31234 ? 123456.789 : 1.0 / 3});
  const auto rows = chart_data(plot_of({{"", &curve, 0, false}}), false).at("rows");
  CHECK(rows.size() <= 800);
  double peak = 0;
  double at = 0;
  for (const auto& row : rows) {
    const double y = row.at(1).get<double>();
    if (y > peak) {
      peak = y;
      at = row.at(0).get<double>();
    } else {
      CHECK(y == 0.3333);
    }
  }
  CHECK(peak == 123500);
  CHECK(at == 31234);
}
