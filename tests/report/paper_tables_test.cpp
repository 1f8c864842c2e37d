// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/report/report.h"

#include "markup.h"

using namespace nbs::test;

namespace {

nlohmann::json paper_tables() {
  return nlohmann::json::parse(contents(std::string(NBS_SOURCE_DIR) + "/pipelines/paper_tables.json"));
}

double f1_of(double precision, double recall) {
  return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

}  // namespace

TEST_CASE("The paper's printed F1 follow from its printed precision and recall, up to rounding") {
  // A slip of the pen in any of the 150 figures would most likely show here.
  constexpr double kHalf = 0.005 + 1e-9;
  int figures = 0;
  const auto tables = paper_tables();
  for (const auto& table : tables.at("tables")) {
    for (const auto& row : table.at("rows")) {
      for (const char* method : {"unsupervised", "unet", "proposed"}) {
        if (row.at(method).is_null()) continue;
        const double precision = row.at(method).at(0);
        const double recall = row.at(method).at(1);
        const double f1 = row.at(method).at(2);
        const double lowest = f1_of(std::max(0.0, precision - kHalf), std::max(0.0, recall - kHalf));
        const double highest = f1_of(precision + kHalf, recall + kHalf);
        CHECK_MESSAGE(f1 + kHalf >= lowest, row.dump());
        CHECK_MESSAGE(f1 - kHalf <= highest, row.dump());
        figures += 3;
      }
    }
  }
  CHECK(figures == 150);
}

TEST_CASE("The paper's tables have the rows and columns of the paper") {
  const auto tables = paper_tables();
  const auto& mvtec = tables.at("tables").at(0).at("rows");
  const std::vector<std::string> classes = {"bottle", "cable", "capsule",    "hazelnut",   "metal_nut",
                                            "pill",   "screw", "toothbrush", "transistor", "zipper",
                                            "carpet", "grid",  "leather",    "tile",       "wood"};
  REQUIRE(mvtec.size() == classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i)
    CHECK(mvtec.at(i).at("dataset") == "mvtec/" + classes[i]);
  // Sums of F1 over the 15 classes, typed from the paper's page and added apart from this file.
  for (const auto& [method, sum] :
       {std::pair<const char*, double>{"unsupervised", 1.92}, {"unet", 3.46}, {"proposed", 6.72}}) {
    double total = 0;
    for (const auto& row : mvtec)
      total += row.at(method).at(2).get<double>();
    CHECK(total == doctest::Approx(sum));
  }
  const auto& others = tables.at("tables").at(1).at("rows");
  CHECK(others.at(1).at("dataset") == "crackforest");
  CHECK(others.at(1).at("unsupervised").is_null());
  CHECK(others.at(1).at("proposed").at(2) == 0.36);
  CHECK(others.at(0).at("unet").at(2) == 0.45);
}

TEST_CASE("The figures are readable by the table") {
  const auto text = nbs::report::results_table({}, nbs::report::TableFormat::text,
                                               std::string(NBS_SOURCE_DIR) + "/pipelines/paper_tables.json");
  CHECK(text.find("Metal Nut") != std::string::npos);
  CHECK(count_of(text, "missing") == 17 * 3);
}
