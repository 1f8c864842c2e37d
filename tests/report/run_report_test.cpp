// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <doctest/doctest.h>

#include "nbs/error.h"
#include "nbs/report/report.h"

#include "example_runs.h"
#include "markup.h"

using namespace nbs::test;
using doctest::Contains;

namespace {

constexpr const char* kPipeline = R"(name = "a <b> & 'c'"
seed = 3

[experiment]
dataset = "mvtec/bottle"
method = "proposed"

[data]
format = "mvtec"
root = "/data/<mvtec>"
labeled = 5
split_seed = 2

[profile]
patch_size = 32
length = 24

[reward]
cover_weight = 0.25
clone_weight = 1

[train]
iterations = 40
reinit_every = 10

[sampler]
plugin = "rl"
hidden = 64

[[postproc]]
plugin = "crf"
)";

constexpr const char* kResult = R"({
 "name": "a <b> & 'c'",
 "ending": "finished",
 "iterations": 40,
 "best": {"iteration": 30, "l_pred": 0.1},
 "threshold_rule": "labeled_f1",
 "threshold": 0.4375,
 "scores": {
  "threshold": 0.4375, "precision": 0.125, "recall": 0.625, "f1": 0.2083,
  "iou": 0.1163, "f1_tolerance_2": 0.4375, "f1_tolerance_5": 0.5625,
  "mean_image_f1": 0.3125, "auroc": 0.9375, "average_precision": 0.1875, "aupro": null, "image_auroc": 0.8125,
  "oracle": {"f1": 0.6875, "threshold": 0.5625},
  "by_type": [
   {"type": "broken", "seen": true, "images": 2, "precision": 0.1, "recall": 0.2, "f1": 0.1333,
    "true_positives": 20, "false_positives": 180, "false_negatives": 80},
   {"type": "good", "seen": false, "images": 1, "precision": 0, "recall": 0, "f1": 0,
    "true_positives": 0, "false_positives": 17, "false_negatives": 0}
  ],
  "seen_types": {"precision": 0.1, "recall": 0.2, "f1": 0.1333, "true_positives": 20, "false_positives": 180,
   "false_negatives": 80},
  "unseen_types": {"precision": 0, "recall": 0, "f1": 0, "true_positives": 0, "false_positives": 0,
   "false_negatives": 0},
  "by_image": [
   {"id": "broken_b 1#2%", "type": "broken", "f1": 0.75, "precision": 0.7, "recall": 0.8},
   {"id": "broken_a", "type": "broken", "f1": 0.25, "precision": 0.2, "recall": 0.3},
   {"id": "good_c", "type": "good", "f1": 0.5, "precision": 0, "recall": 0}
  ]
 },
 "seconds": {"training": 75.0, "total": 100.0},
 "peak_memory_mib": 512.4
})";

constexpr const char* kProvenance = R"({"nbs": "0.1.0", "revision": "12ab<34", "threads": 2,
 "plugins": [{"kind": "sampler", "name": "rl", "version": "1.0.0", "file": "libnbs-rl.so", "sha256": "feed"}]})";

void write_full_run(const Scratch& scratch) {
  scratch.write("run/resolved.toml", kPipeline);
  scratch.write("run/result.json", kResult);
  scratch.write("run/provenance.json", kProvenance);
  scratch.write("run/metrics.jsonl",
                "{\"iteration\":0,\"ae_loss\":0.5,\"r_clone\":1,\"coverage\":0.5,\"beta\":1,\"loss_ratio\":2}\n"
                "{\"iteration\":1,\"ae_loss\":0.25,\"l_pred\":0.7,\"l_pred_smoothed\":0.7,\"sampler_entropy\":2.1}\n");
  for (const char* id : {"broken_b 1#2%", "broken_a", "good_c", "no_mask"}) {
    for (const char* kind : {"overlay", "mask", "probability"})
      scratch.write(std::string("run/predictions/") + id + "." + kind + ".png", "picture");
  }
}

std::string report_of(const Scratch& scratch) {
  nbs::report::write_run_report(scratch / "run");
  return contents(scratch / "run/report.html");
}

}  // namespace

TEST_CASE("A report is one well-formed page that neither links nor loads anything from the outside") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  CHECK(markup_problem(html) == "");
  const auto text = without_scripts(html);
  CHECK(count_of(text, "http") == 1);
  CHECK(text.find(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' file: data:; "
            "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">") != std::string::npos);
  CHECK(count_of(html, "sourceMappingURL") == 0);
  // The library for charts, once.
  CHECK(count_of(html, "Dygraph=t()") == 1);
  CHECK(html.rfind("<!DOCTYPE html>", 0) == 0);
  CHECK(html.find("name=\"viewport\"") != std::string::npos);
  CHECK(html.find("prefers-color-scheme: dark") != std::string::npos);
}

TEST_CASE("Names and values are escaped") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  CHECK(html.find("<title>a &lt;b&gt; &amp; &#39;c&#39;</title>") != std::string::npos);
  CHECK(html.find("<b> &") == std::string::npos);
  CHECK(html.find("/data/&lt;mvtec&gt;") != std::string::npos);
  CHECK(html.find("12ab&lt;34") != std::string::npos);
}

TEST_CASE("All scores are shown, the oracle by its name, what is undefined as a dash") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  CHECK(html.find("<dt>F1</dt><dd>0.208</dd>") != std::string::npos);
  CHECK(html.find("<dt>Precision</dt><dd>0.125</dd>") != std::string::npos);
  CHECK(html.find("<dt>Recall</dt><dd>0.625</dd>") != std::string::npos);
  CHECK(html.find("<dt>IoU</dt><dd>0.116</dd>") != std::string::npos);
  CHECK(html.find("<dt>F1 with 2 pixels of tolerance</dt><dd>0.438</dd>") != std::string::npos);
  CHECK(html.find("<dt>F1 with 5 pixels of tolerance</dt><dd>0.562</dd>") != std::string::npos);
  CHECK(html.find("did not compute IoU") == std::string::npos);
  CHECK(html.find("<dt>Oracle F1</dt><dd>0.688</dd>") != std::string::npos);
  CHECK(html.find("<dt>AUPRO</dt><dd>–</dd>") != std::string::npos);
  CHECK(html.find("the threshold 0.438 (chosen for the best F1 on the labeled images)") != std::string::npos);
}

TEST_CASE("Types of defect have their own scores; a type without anomalies has only false positives") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  CHECK(html.find("<tr><td>broken</td><td>yes</td><td class=\"n\">2</td><td class=\"n\">0.100</td>"
                  "<td class=\"n\">0.200</td><td class=\"n\">0.133</td><td class=\"n\">180</td></tr>") !=
        std::string::npos);
  CHECK(html.find("<tr><td>good</td><td>no</td><td class=\"n\">1</td><td class=\"n\">–</td><td class=\"n\">–</td>"
                  "<td class=\"n\">–</td><td class=\"n\">17</td></tr>") != std::string::npos);
  CHECK(html.find("all seen types") != std::string::npos);
  CHECK(html.find("all unseen types") == std::string::npos);  // there are none
}

TEST_CASE("Pictures come worst first, those without a score last, and every link leads to a file") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  // Those of a type that is seen stand first, those without anomalies after them.
  const std::vector<std::string> expected = {"predictions/broken_a.overlay.png",
                                             "predictions/broken_b 1#2%.overlay.png", "predictions/good_c.overlay.png",
                                             "predictions/no_mask.overlay.png"};
  CHECK(attributes(without_scripts(html), "src") == expected);
  const auto links = attributes(without_scripts(html), "href");
  CHECK(links.size() == 12);  // overlay, mask and probability of four images
  for (const auto& link : links)
    CHECK_MESSAGE(std::filesystem::exists(scratch / ("run/" + link)), link);
}

TEST_CASE("Options at their defaults are left out of the table of changes, also when 1 stands for 1.0") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  const auto changes = html.substr(0, html.find("<details>"));
  CHECK(changes.find("<td><code>profile.length</code></td><td><code>24</code></td><td><code>16</code></td>") !=
        std::string::npos);
  CHECK(changes.find("<code>reward.cover_weight</code></td><td><code>0.25</code></td><td><code>0.7</code>") !=
        std::string::npos);
  CHECK(changes.find("profile.patch_size") == std::string::npos);
  CHECK(changes.find("reward.clone_weight") == std::string::npos);
  CHECK(html.find("<code>sampler.hidden</code>") != std::string::npos);
  CHECK(html.find("<code>postproc.0.plugin</code>") != std::string::npos);
}

TEST_CASE("Provenance names versions, plugins with hashes, time and memory") {
  const Scratch scratch;
  write_full_run(scratch);
  const auto html = report_of(scratch);
  for (const char* part :
       {"<td>revision</td>", "libnbs-rl.so", "<code>feed</code>", "512 MiB", "1 min 15 s", "<td class=\"n\">75 %</td>"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
}

TEST_CASE("A run without a result is reported as far as it went, half-written line and all") {
  const Scratch scratch;
  write_example(scratch, {"run", "crackforest", "proposed", 0, 0, "0.5", ""});
  scratch.write("run/metrics.jsonl",
                "{\"iteration\":0,\"ae_loss\":0.5}\n{\"iteration\":1,\"ae_loss\":null}\n{\"iteration\":2,\"ae_lo");
  const auto html = report_of(scratch);
  CHECK(markup_problem(html) == "");
  CHECK(html.find("class=\"state unfinished\"") != std::string::npos);
  CHECK(html.find("2 of 40 iterations so far") != std::string::npos);
  CHECK(html.find("1 of the lines in metrics.jsonl could not be read") != std::string::npos);
}

TEST_CASE("A run that has only begun, or has a damaged result, is still reported") {
  const Scratch scratch;
  scratch.write("run/resolved.toml", "name = \"young\"\n");
  CHECK(report_of(scratch).find("<h1>young ") != std::string::npos);
  scratch.write("run/result.json", "{\"ending\": \"fini");
  const auto html = report_of(scratch);
  CHECK(markup_problem(html) == "");
  CHECK(html.find("class=\"state unreadable\"") != std::string::npos);
  CHECK(html.find("result.json is damaged: it is no JSON") != std::string::npos);
  scratch.write("run/resolved.toml", "name = = 3\n");
  scratch.write("run/result.json", "[1, 2]");
  scratch.write("run/provenance.json", "no");
  scratch.write("run/metrics.jsonl", "\n[]\n7\n{\"iteration\": \"x\"}\n");
  CHECK(markup_problem(report_of(scratch)) == "");
}

TEST_CASE("A result with a value of a wrong kind is unreadable, and the page says where") {
  const Scratch scratch;
  scratch.write("run/result.json", R"({"ending": "finished", "scores": {"f1": 0.5, "oracle": 3}})");
  scratch.write("run/predictions/a.overlay.png", "picture");
  const auto html = report_of(scratch);
  CHECK(markup_problem(html) == "");
  CHECK(html.find("class=\"state unreadable\"") != std::string::npos);
  CHECK(html.find("/scores/oracle is 3, but an object is wanted") != std::string::npos);
  CHECK(html.find("a.overlay.png") != std::string::npos);
}

TEST_CASE("Pictures that are missing are told at the top, in the words of the result") {
  const Scratch scratch;
  scratch.write("run/result.json",
                R"({"ending": "finished", "missing_pictures": {"count": 7, "reasons": ["the disk <a> is full"]}})");
  const auto html = report_of(scratch);
  CHECK(html.find("<p class=\"remark\">7 pictures could not be written: the disk &lt;a&gt; is full</p>") !=
        std::string::npos);
}

TEST_CASE("A result that was written before IoU and F1 with tolerance has dashes there, and the page says why") {
  const Scratch scratch;
  scratch.write("run/result.json",
                R"({"ending": "finished", "scores": {"f1": 0.5, "auroc": 0.9, "image_auroc": 0.9}})");
  const auto html = report_of(scratch);
  CHECK(html.find("<dt>F1</dt><dd>0.500</dd>") != std::string::npos);
  CHECK(html.find("<dt>IoU</dt><dd>–</dd>") != std::string::npos);
  CHECK(html.find("<dt>F1 with 2 pixels of tolerance</dt><dd>–</dd>") != std::string::npos);
  CHECK(html.find("The version of the program that wrote this result did not compute IoU") != std::string::npos);
}

TEST_CASE("A folder that holds no run is an error that says what to do") {
  const Scratch scratch;
  CHECK_THROWS_WITH_AS(nbs::report::write_run_report(scratch.path()), Contains("holds no run"), nbs::Error);
  CHECK_THROWS_WITH_AS(nbs::report::write_run_report(scratch / "absent"), Contains("there is no folder"), nbs::Error);
}
