// SPDX-License-Identifier: Apache-2.0
// The parts of a run's page that are made of diagnostics.json, and its gallery.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/record/run_directory.h"
#include "nbs/report/report.h"

#include "../record/full_diagnostics.h"
#include "example_runs.h"
#include "markup.h"

using namespace nbs::test;
using Json = nlohmann::ordered_json;

namespace {

std::string page_of(const Scratch& scratch) {
  nbs::report::write_run_report(scratch / "run");
  return contents(scratch / "run/report.html");
}

std::string explained_page(const nbs::record::Diagnostics& diagnostics) {
  const Scratch scratch;
  write_example(scratch, {"run"});
  nbs::record::RunDirectory(scratch / "run").write_diagnostics(diagnostics);
  return page_of(scratch);
}

std::vector<Json> charts_of(const std::string& part) {
  std::vector<Json> charts;
  for (const auto& text : json_elements(part))
    charts.push_back(Json::parse(text));
  return charts;
}

}  // namespace

TEST_CASE("loss profiles are drawn for both kinds of pixels, with bands between the quartiles") {
  const auto html = explained_page(full_diagnostics());
  CHECK(markup_problem(html) == "");
  const auto part = part_of(html, "Loss profiles");
  CHECK(part.find("Labeled images: 21 anomalous and 22 normal pixels.") != std::string::npos);
  CHECK(part.find("Scored images: 23 anomalous and 0 normal pixels.") != std::string::npos);
  const auto charts = charts_of(part);
  REQUIRE(charts.size() == 2);
  // x, then anomalous median and mean, then normal median and mean, each with the ends of its band.
  CHECK(charts[0].at("rows") == Json::parse("[[1, [0.25, 0.375, 0.625], [0.5, 0.5, 0.5], [0.01, 0.02, 0.03],"
                                            "[0.05, 0.05, 0.05]], [2, [0.3, 0.4, 0.65], [0.75, 0.75, 0.75],"
                                            "[0.015, 0.025, 0.035], [0.06, 0.06, 0.06]]]"));
  CHECK(charts[1].at("rows").at(0).size() == 3);
  CHECK(count_of(part, "<polygon class=\"band") == 2);  // one map is no area, but is drawn by its point
}

TEST_CASE("the precision-recall curve has both thresholds marked, by points and in words") {
  const auto part = part_of(explained_page(full_diagnostics()), "Precision and recall");
  CHECK(part.find("At the chosen threshold 0.500: precision 0.625, recall 0.500") != std::string::npos);
  CHECK(part.find("At the oracle&#39;s") == std::string::npos);  // our own text needs no escapes
  CHECK(part.find("0.450: precision 0.610, recall 0.550") != std::string::npos);
  const auto charts = charts_of(part);
  REQUIRE(charts.size() == 1);
  CHECK(charts[0].at("curves").at(2).at("name") == "chosen");
  CHECK(charts[0].at("curves").at(3).at("name") == "oracle");
  bool chosen = false;
  bool oracle = false;
  for (const auto& row : charts[0].at("rows")) {
    chosen = chosen || (row.at(0) == 0.5 && row.at(3) == 0.625);
    oracle = oracle || (row.at(0) == 0.55 && row.at(4) == 0.61);
  }
  CHECK(chosen);
  CHECK(oracle);
  CHECK(count_of(part, "<circle") == 2);
}

TEST_CASE("where the sampler sampled is shown by phase of beta, all images and each labeled one, names escaped") {
  const Scratch scratch;
  write_example(scratch, {"run"});
  nbs::record::RunDirectory(scratch / "run").write_diagnostics(full_diagnostics());
  scratch.write("run/labeled/bro<ken_001.image.png", "picture");
  auto part = part_of(page_of(scratch), "Where the sampler sampled");
  CHECK(part.find("<h3>Cloning, β &gt; 0 (30 iterations)</h3>") != std::string::npos);
  CHECK(part.find("<h3>After cloning, β = 0 (31 iterations)</h3>") != std::string::npos);
  CHECK(count_of(part, "class=\"map\"") == 3);
  CHECK(part.find("bro&lt;ken_001<br>8 patches, at most 0.90 on one point") != std::string::npos);
  CHECK(part.find("densest at 75 % from the left and 75 % from the top") != std::string::npos);
  CHECK(part.find("<img src=\"labeled/bro%3Cken_001.image.png\"") != std::string::npos);
  auto diagnostics = full_diagnostics();
  diagnostics.sampled->learns = false;
  diagnostics.sampled->phases.erase(diagnostics.sampled->phases.begin());
  part = part_of(explained_page(diagnostics), "Where the sampler sampled");
  CHECK(part.find("<h3>All of training (31 iterations)</h3>") != std::string::npos);
}

TEST_CASE("a run without diagnostics, as of older versions, has a page without these parts") {
  const Scratch scratch;
  write_example(scratch, {"run"});
  const auto html = page_of(scratch);
  CHECK(markup_problem(html) == "");
  for (const char* title : {"Loss profiles", "Precision and recall", "Where the sampler sampled"})
    CHECK(part_of(html, title).empty());
}

TEST_CASE("damaged diagnostics cost nothing else, and the page says what is wrong") {
  const Scratch scratch;
  write_example(scratch, {"run"});
  scratch.write("run/diagnostics.json", R"({"sampled": {"side": "<b>"}})");
  const auto html = page_of(scratch);
  CHECK(markup_problem(html) == "");
  CHECK(html.find("/sampled/side is &quot;&lt;b&gt;&quot;, but an integer is wanted") != std::string::npos);
  CHECK(html.find("<dt>F1</dt><dd>0.500</dd>") != std::string::npos);
}

TEST_CASE("images of seen and of unseen types, and those without anomalies, stand apart, each worst first") {
  const Scratch scratch;
  write_example(scratch, {"run"});
  scratch.write("run/result.json", R"({"ending": "finished", "scores": {"f1": 0.5,
    "by_type": [{"type": "hole", "seen": true}, {"type": "crack", "seen": false}, {"type": "good", "seen": false}],
    "by_image": [{"id": "h1", "type": "hole", "f1": 0.9}, {"id": "c1", "type": "crack", "f1": 0.8},
                 {"id": "g1", "type": "good", "f1": 1}, {"id": "h2", "type": "hole", "f1": 0.1}]}})");
  for (const char* id : {"h1", "h2", "c1", "g1", "x1"})
    scratch.write(std::string("run/predictions/") + id + ".overlay.png", "picture");
  scratch.write("run/predictions/h2.image.png", "picture");
  scratch.write("run/predictions/h2.truth.png", "picture");
  const auto part = part_of(page_of(scratch), "Predictions, worst first");
  std::vector<std::string> order;
  for (const auto& id : attributes(part, "data-id"))
    order.push_back(id);
  CHECK(order == std::vector<std::string>{"h2", "h1", "c1", "g1", "x1"});
  const auto at = [&](const char* text) { return part.find(text); };
  CHECK(at("<h3>Types that the labeled images show (2)</h3>") < at("data-id=\"h2\""));
  CHECK(at("data-id=\"h1\"") < at("<h3>Types that no labeled image shows (1)</h3>"));
  CHECK(at("data-id=\"c1\"") < at("<h3>Images without anomalies (1)</h3>"));
  CHECK(at("data-id=\"g1\"") < at("<h3>Images of no known type (1)</h3>"));
  // The slider has what there is, in its order.
  CHECK(attributes(part, "data-kinds").at(0) == "image truth overlay");
  CHECK(attributes(part, "data-kinds").at(1) == "overlay");
  CHECK(count_of(part, "loading=\"lazy\"") == 5);
}

TEST_CASE("where the data set knows no types the images are one gallery") {
  const Scratch scratch;
  write_example(scratch, {"run"});
  scratch.write("run/predictions/a.overlay.png", "picture");
  const auto part = part_of(page_of(scratch), "Predictions");
  CHECK(count_of(part, "<h3>") == 0);
  CHECK(count_of(part, "<figure") == 1);
}

TEST_CASE("of very many images the worst are shown, and others evenly spread over the scores") {
  const Scratch scratch;
  write_example(scratch, {"run"});
  constexpr int kImages = 1500;
  std::string scores;
  for (int i = 0; i < kImages; ++i) {
    const auto id = "n" + std::to_string(10000 + i);
    scratch.write("run/predictions/" + id + ".overlay.png", "picture");
    scores += std::string(i == 0 ? "" : ",") + R"({"id": ")" + id + R"(", "type": "", "f1": )" +
              std::to_string(1 - i / double(kImages)) + "}";
  }
  SUBCASE("with scores") {
    scratch.write("run/result.json", R"({"ending": "finished", "scores": {"f1": 0.5, "by_image": [)" + scores + "]}}");
    const auto part = part_of(page_of(scratch), "Predictions, worst first");
    const auto ids = attributes(part, "data-id");
    REQUIRE(ids.size() == 500);
    CHECK(part.find("1500 images.") != std::string::npos);
    CHECK(part.find("500 of these 1500: the 250 worst, and others evenly spread") != std::string::npos);
    // The image of number 10000 + i is the i-th best.
    for (int i = 0; i < 250; ++i)
      CHECK(ids[static_cast<std::size_t>(i)] == "n" + std::to_string(10000 + kImages - 1 - i));
    for (int i = 0; i < 250; ++i)
      CHECK(ids[static_cast<std::size_t>(250 + i)] == "n" + std::to_string(10000 + kImages - 1 - 250 - 5 * i));
  }
  SUBCASE("without") {
    scratch.write("run/result.json", R"({"ending": "finished"})");
    const auto part = part_of(page_of(scratch), "Predictions");
    const auto ids = attributes(part, "data-id");
    REQUIRE(ids.size() == 500);
    CHECK(part.find("500 of these 1500, evenly spread") != std::string::npos);
    for (int i = 0; i < 500; ++i)
      CHECK(ids[static_cast<std::size_t>(i)] == "n" + std::to_string(10000 + 3 * i));
  }
}
