// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <sstream>

#include <doctest/doctest.h>

#include "nbs/error.h"
#include "nbs/report/report.h"

#include "example_runs.h"
#include "markup.h"

using namespace nbs::test;
using doctest::Contains;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("Runs that differ in seeds only are averaged, by the formulas for samples") {
  const Scratch scratch;
  // Mean 0.5; squares 0.01 + 0.04 + 0.09, over 2: 0.07; its root is 0.26458.
  write_example(scratch, {"b/s0", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"b/s1", "crackforest", "proposed", 1, 1, "0.3"});
  write_example(scratch, {"b/s2", "crackforest", "proposed", 0, 2, "0.8"});
  nbs::report::write_folder_report(scratch / "b");
  const auto markdown = contents(scratch / "b/summary.md");
  CHECK(
      markdown.find("| crackforest, proposed | 3 | 0.500 ± 0.265 | 0.400 ± 0.000 | 0.800 ± 0.000 | 0.750 ± 0.000 |") !=
      std::string::npos);
  const auto html = contents(scratch / "b/index.html");
  CHECK(markup_problem(html) == "");
  CHECK(html.find("<td class=\"n s top\">0.500 ± 0.265</td>") != std::string::npos);
  CHECK(count_of(html, "<circle") == 3);
}

TEST_CASE("Other options make another pipeline, named by what differs") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.4", "finished", "rl"});
  write_example(scratch, {"b", "crackforest", "proposed", 0, 0, "0.6", "finished", "random"});
  nbs::report::write_folder_report(scratch.path());
  const auto markdown = contents(scratch / "summary.md");
  CHECK(markdown.find("| crackforest, proposed: sampler.plugin = \"rl\" | 1 | 0.400 |") != std::string::npos);
  CHECK(markdown.find("| crackforest, proposed: sampler.plugin = \"random\" | 1 | 0.600 |") != std::string::npos);
}

TEST_CASE("An option that changes no result makes no other pipeline") {
  const Scratch scratch;
  for (const char* name : {"a", "b"}) {
    const ExampleRun run = {name, "crackforest", "proposed", name[0] - 'a', 0, "0.4"};
    write_example(scratch, run);
    auto text = pipeline_text(run);
    if (name[0] == 'b') text.insert(text.find("iterations"), "checkpoint_minutes = 1.0\n");
    scratch.write(run.folder + "/resolved.toml", text);
  }
  nbs::report::write_folder_report(scratch.path());
  CHECK(contents(scratch / "summary.md").find("| crackforest, proposed | 2 | 0.400 ± 0.000 |") != std::string::npos);
  CHECK(contents(scratch / "summary.csv").find("checkpoint_minutes") == std::string::npos);
}

TEST_CASE("Options that only one of two plugins has are told by its name; those that differ under it are told too") {
  const Scratch scratch;
  const auto add = [&](const ExampleRun& run, const std::string& options) {
    write_example(scratch, run);
    scratch.write(run.folder + "/resolved.toml", pipeline_text(run) + options);
  };
  add({"a", "crackforest", "proposed", 0, 0, "0.4", "finished", "rl"}, "window = 32\ngamma = 0.8\n");
  add({"b", "crackforest", "proposed", 0, 0, "0.5", "finished", "rl"}, "window = 64\ngamma = 0.8\n");
  add({"c", "crackforest", "proposed", 0, 0, "0.6", "finished", "random"}, "");
  nbs::report::write_folder_report(scratch.path());
  const auto markdown = contents(scratch / "summary.md");
  for (const char* line : {"| crackforest, proposed: sampler.plugin = \"rl\", sampler.window = 32 | 1 | 0.400 |",
                           "| crackforest, proposed: sampler.plugin = \"rl\", sampler.window = 64 | 1 | 0.500 |",
                           "| crackforest, proposed: sampler.plugin = \"random\" | 1 | 0.600 |"}) {
    CAPTURE(line);
    CHECK(markdown.find(line) != std::string::npos);
  }
  // Nothing is lost where there is room for it.
  CHECK(contents(scratch / "summary.csv").find("sampler.gamma") != std::string::npos);
}

TEST_CASE("A pipeline that was run twice with the same seeds counts once, the later run") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.2", "finished", "rl", "2026-01-03T00:00:00Z"});
  write_example(scratch, {"b", "crackforest", "proposed", 0, 0, "0.9", "finished", "rl", "2026-01-02T00:00:00Z"});
  nbs::report::write_folder_report(scratch.path());
  CHECK(contents(scratch / "summary.md").find("| crackforest, proposed | 1 | 0.200 |") != std::string::npos);
}

TEST_CASE("Runs that have not finished are shown as such and left out of means") {
  const Scratch scratch;
  write_example(scratch, {"done", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"stopped", "crackforest", "proposed", 1, 0, "0.9", "interrupted"});
  write_example(scratch, {"burst", "crackforest", "proposed", 2, 0, "null", "diverged"});
  write_example(scratch, {"running", "crackforest", "proposed", 3, 0, "0.9", ""});
  write_example(scratch, {"damaged", "crackforest", "proposed", 4, 0, "0.9", ""});
  scratch.write("damaged/result.json", "{");
  nbs::report::write_folder_report(scratch.path());
  const auto html = contents(scratch / "index.html");
  CHECK(markup_problem(html) == "");
  CHECK(html.find("5 runs: 1 finished, 1 interrupted, 1 diverged, 1 unfinished, 1 unreadable") != std::string::npos);
  CHECK(html.find("2 of 40 iterations so far") != std::string::npos);
  CHECK(html.find("<td class=\"n\">1 of 5</td><td class=\"n s top\">0.400</td>") != std::string::npos);
}

TEST_CASE("The table of values has a line a run, all digits, and the options that vary") {
  const Scratch scratch;
  write_example(scratch, {"deep/x, y", "crackforest", "proposed", 7, 3, "0.12345678901234", "finished", "rl"});
  scratch.write("plain/resolved.toml", "name = \"plain\"\n\n[sampler]\nplugin = \"random\"\n");
  nbs::report::write_folder_report(scratch.path());
  const auto lines = lines_of(contents(scratch / "summary.csv"));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].rfind("run,name,state,dataset,method,seed,split_seed,labeled,iterations,", 0) == 0);
  CHECK(lines[0].find(",sampler.plugin") != std::string::npos);
  CHECK(lines[1].rfind("\"deep/x, y\",\"deep/x, y\",", 0) == 0);
  CHECK(lines[1].find(",finished,crackforest,proposed,7,3,5,40,") != std::string::npos);
  CHECK(lines[1].find(",0.12345678901234,0.4,0.8,0.75,") != std::string::npos);
  CHECK(lines[2].rfind("plain,plain,unfinished,,,", 0) == 0);
  CHECK((lines[1] + ",").find(",rl,") != std::string::npos);
  CHECK((lines[2] + ",").find(",random,") != std::string::npos);
}

TEST_CASE("Index and tables have columns for IoU and F1 with tolerance") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0,
                          R"(0.5, "iou": 0.3125, "f1_tolerance_2": 0.625, "f1_tolerance_5": 0.875)"});
  nbs::report::write_folder_report(scratch.path());
  const auto index = contents(scratch / "index.html");
  CHECK(markup_problem(index) == "");
  CHECK(count_of(index,
                 "<th scope=\"col\" class=\"n ranked\">IoU</th><th scope=\"col\" class=\"n ranked\">F1 2 px</th>"
                 "<th scope=\"col\" class=\"n ranked\">F1 5 px</th>") == 2);
  CHECK(count_of(index,
                 "<td class=\"n top\">0.312</td><td class=\"n top\">0.625</td><td class=\"n "
                 "top\">0.875</td>") == 2);
  const auto lines = lines_of(contents(scratch / "summary.csv"));
  CHECK(lines.at(0).find(",iou,f1_tolerance_2,f1_tolerance_5,mean_image_f1,") != std::string::npos);
  CHECK(lines.at(1).find(",0.3125,0.625,0.875,,") != std::string::npos);
  CHECK(contents(scratch / "summary.md").find("| 0.312 | 0.625 | 0.875 |") != std::string::npos);
}

TEST_CASE("Every link of the index leads to a file, and each run gets its own report") {
  const Scratch scratch;
  write_example(scratch, {"a b#1", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"deep/er/c", "crackforest", "unet", 0, 0, "", ""});
  scratch.write("kept.result.json", result_text({"kept", "nanotwice", "unet", 0, 0, "0.3"}));
  nbs::report::write_folder_report(scratch.path());
  const auto links = attributes(contents(scratch / "index.html"), "href");
  CHECK(links.size() == 5);  // two tables and three runs
  for (const auto& link : links)
    CHECK_MESSAGE(std::filesystem::exists(scratch / link), link);
  CHECK(std::filesystem::exists(scratch / "deep/er/c/report.html"));
}

TEST_CASE("Different versions of the program in one mean are pointed out") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"b", "crackforest", "proposed", 1, 0, "0.4"});
  scratch.write("b/provenance.json", R"({"nbs": "0.1.0", "revision": "def"})");
  nbs::report::write_folder_report(scratch.path());
  CHECK(contents(scratch / "index.html").find("0.1.0 (abc) 0.1.0 (def)") != std::string::npos);
}

TEST_CASE("A folder without runs is an error that says what to do") {
  const Scratch scratch;
  CHECK_THROWS_WITH_AS(nbs::report::write_folder_report(scratch.path()), Contains("there is no run in"), nbs::Error);
  CHECK_THROWS_WITH_AS(nbs::report::write_folder_report(scratch / "absent"), Contains("there is no folder"),
                       nbs::Error);
}

TEST_CASE("Pages of runs are written again only when something that they show has changed") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"b", "crackforest", "proposed", 1, 1, "0.6"});
  nbs::report::write_folder_report(scratch.path());
  const auto whole = contents(scratch / "a/report.html");
  const auto long_ago = std::filesystem::file_time_type() + std::chrono::hours(1);
  const auto written = [&](const char* page) {
    const bool again = std::filesystem::last_write_time(scratch / page) != long_ago;
    std::filesystem::last_write_time(scratch / page, long_ago);
    return again;
  };
  REQUIRE(written("a/report.html"));
  REQUIRE(written("b/report.html"));
  const auto report_again = [&] { nbs::report::write_folder_report(scratch.path()); };

  report_again();
  CHECK_FALSE(written("a/report.html"));
  CHECK_FALSE(written("b/report.html"));

  scratch.write("a/metrics.jsonl", "{\"iteration\":0,\"ae_loss\":0.5}\n");
  report_again();
  CHECK(written("a/report.html"));
  CHECK_FALSE(written("b/report.html"));

  // The same length, at another time.
  std::filesystem::last_write_time(scratch / "a/result.json", long_ago);
  report_again();
  CHECK(written("a/report.html"));

  std::filesystem::create_directory(scratch / "a/predictions");
  report_again();
  CHECK(written("a/report.html"));

  SUBCASE("a page that was cut off") {
    scratch.write("a/report.html", whole.substr(0, whole.size() / 2));
  }
  SUBCASE("an empty page") {
    scratch.write("a/report.html", "");
  }
  SUBCASE("no page") {
    std::filesystem::remove(scratch / "a/report.html");
  }
  report_again();
  CHECK(written("a/report.html"));
  CHECK_FALSE(written("b/report.html"));
}
