// SPDX-License-Identifier: Apache-2.0
// What nbs batch shows, and what --status and --cancel do, with a worker that goes on until it is told to end.
#include <csignal>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "background.h"
#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

namespace {

using doctest::Contains;
using nbs::test::Background;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::wait_until;

// Two runs of six iterations, of which the stub does as many as it is told to.
struct Slow {
  Program nbs;
  std::vector<std::pair<std::string, std::string>> variables;

  explicit Slow(int most, const std::string& pause = "0.1") {
    nbs.folder().write("a.toml", nbs::test::tiny_pipeline() + "[sweep.grid]\nseed = [0, 1]\n");
    const auto worker = nbs.folder().write(
        "worker.sh",
        "#!/bin/bash\n[ \"$1\" = run ] || exec " NBS_REAL_WORKER
        " \"$@\"\nn=0\n"
        "trap 'echo $n > \"$4/checkpoint.nbs\"; echo \"{\\\"ending\\\": \\\"interrupted\\\"}\" > \"$4/result.json\"; "
        "exit 130' TERM\n"
        "while [ $n -lt " +
            std::to_string(most) + " ]; do sleep " + pause +
            "; echo \"{\\\"iteration\\\":$n}\" >> \"$4/metrics.jsonl\"; n=$((n+1)); done\n"
            "echo '{\"ending\": \"finished\", \"peak_memory_mib\": 300}' > \"$4/result.json\"\n");
    std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
    variables = {{"NBS_WORKER", worker.string()},
                 {"XDG_CACHE_HOME", (nbs.folder() / "cache").string()},
                 {"NBS_PLUGIN_PATH", ""}};
  }
  Background start(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {NBS_PROGRAM, "batch", "a.toml"};
    words.insert(words.end(), more.begin(), more.end());
    return Background(words, nbs.folder().path(), variables);
  }
  // Does not disturb the files of what runs beside it.
  std::string said(const std::string& words) const {
    const auto file = (nbs.folder() / "said.txt").string();
    const auto line = "cd '" + nbs.folder().path().string() + "' && XDG_CACHE_HOME=cache '" NBS_PROGRAM "' " + words +
                      " > " + file + " 2>&1";
    return std::system(line.c_str()) < 0 ? "" : nbs::read_file(file);
  }
};

}  // namespace

TEST_CASE("json: every line is an object, from the first start to the report") {
  const Slow slow(3);
  auto batch = slow.start({"--progress", "json"});
  CHECK(batch.wait() == 0);
  std::string events;
  std::istringstream lines(batch.output());
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    REQUIRE(json.is_object());
    events += json.at("event").get<std::string>() + " ";
    if (json.contains("run")) CHECK(text(json.at("run").get<std::string>()) == Contains("tiny (seed="));
  }
  CHECK(events == "begins finished begins finished report ");
}

TEST_CASE("live: how far each run is, and the time that is left, in lines that are replaced") {
  const Slow slow(6, "0.5");
  auto batch = slow.start({"--progress", "live", "-j", "1"});
  CHECK(batch.wait() == 0);
  const auto output = batch.output();
  CHECK(text(output) == Contains("/6  "));
  CHECK(text(output) == Contains(" s left  "));
  CHECK(text(output) == Contains("tiny (seed=0)\n0 of 2 ended, 1 running, 1 waiting"));
  CHECK(text(output) == Contains("; about "));
  CHECK(text(output) == Contains("\033[2A\033[J"));
  // Told at once, and nothing of it is left at the end.
  CHECK(text(output) == Contains("[2/2] tiny (seed=1): "));
  const auto last = output.rfind("\033[J");
  CHECK(output.find(" waiting", last) == std::string::npos);
}

TEST_CASE("status says how runs stand; cancel ends the batch that works on this machine, which goes on later") {
  const Slow slow(1000);
  auto batch = slow.start({});
  REQUIRE(wait_until([&] { return slow.said("batch --status").find("after ") != std::string::npos; }));
  auto said = slow.said("batch --status");
  CHECK(text(said) == Contains("running   tiny-"));
  CHECK(text(said) == Contains("in runs: 1 running\n"));  // the other has no folder yet
  CHECK(text(said) == Contains(("nbs batch works there: process " + std::to_string(batch.process()) + " on ").c_str()));
  CHECK(text(slow.said("batch --cancel")) == Contains(": told to end\n"));
  CHECK(batch.wait() == 143);
  CHECK(text(slow.said("batch --status")) == Contains("in runs: 1 cut off\n"));
  CHECK(slow.said("batch --cancel") == "nothing of runs runs or waits\n");
  CHECK(text(slow.said("batch --status --out nowhere")) == Contains("the folder nowhere cannot be read"));
}

TEST_CASE("options that nothing would come of are refused") {
  const Slow slow(1);
  CHECK(text(slow.said("batch a.toml --partition long")) == Contains("add --launcher slurm or --launcher command"));
  CHECK(text(slow.said("batch a.toml --status")) == Contains("they take no pipeline files"));
  CHECK(text(slow.said("batch a.toml --launcher slurm --fail-fast")) ==
        Contains("--fail-fast needs the launcher local"));
  CHECK(text(slow.said("batch a.toml --launcher slurm --cores 2")) == Contains("give --cpus to a queue"));
  CHECK(text(slow.said("batch a.toml --launcher pbs")) == Contains("pbs not in {local,slurm,command}"));
  CHECK(text(slow.said("batch a.toml --memory lots")) == Contains("--memory is \"lots\", but must be a size"));
  CHECK(text(slow.said("batch")) == Contains("FILE is required"));
  CHECK_FALSE(std::filesystem::exists(slow.nbs.folder() / "runs"));
}
