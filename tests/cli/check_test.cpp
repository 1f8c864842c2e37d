// SPDX-License-Identifier: Apache-2.0
#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::tiny_pipeline;

// nbs check, the way scripts use it: 0 for good files, 2 for problems in them, sentences on standard error.

TEST_CASE("a good file: exit code 0, and --print gives a file that is good too") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  auto ended = nbs({"check", "a.toml"});
  CHECK(ended.status == 0);
  CHECK(ended.output == "1 file, 1 run: no problems\n");
  CHECK(ended.errors.empty());
  nbs.folder().write("b.toml", tiny_pipeline() + "[sweep.grid]\nseed = [0, 1, 2]\n");
  CHECK(nbs({"check", "a.toml", "b.toml"}).output ==
        "2 files, 4 runs: no problems\nto do     tiny\nto do     tiny (seed=0)\nto do     tiny (seed=1)\n"
        "to do     tiny (seed=2)\nin runs: 0 finished, 0 cut off, 4 to do\ntime: known when one of them is finished\n"
        "memory: at least 250 MiB for the largest run, judged by its options; known when one of them is finished\n");
  ended = nbs({"check", "--print", "a.toml"});
  CHECK(ended.status == 0);
  nbs.folder().write("printed.toml", ended.output);
  CHECK(nbs({"check", "printed.toml"}).status == 0);
  CHECK(nbs({"check", "--print", "printed.toml"}).output == ended.output);
}

TEST_CASE("of several runs the plan says which are finished, which were cut off, and how long the rest may take") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline() + "[sweep.grid]\nseed = [0, 1, 2]\n");
  REQUIRE(nbs({"batch", "a.toml", "--set", "train.checkpoint_minutes=0"}).status == 0);
  std::vector<std::string> folders(3);
  for (const auto& entry : std::filesystem::directory_iterator(nbs.folder() / "runs")) {
    if (!entry.is_directory()) continue;
    for (const auto& line : nbs::test::lines_of(entry.path() / "resolved.toml")) {
      if (line.rfind("seed = ", 0) == 0) folders.at(std::stoul(line.substr(7))) = entry.path().filename().string();
    }
  }
  std::filesystem::remove(nbs.folder() / "runs" / folders[1] / "result.json");
  std::filesystem::remove_all(nbs.folder() / "runs" / folders[2]);
  const auto ended = nbs({"check", "a.toml"});
  CHECK(text(ended.output) == Contains(("finished  tiny (seed=0) -> runs/" + folders[0] + "\n").c_str()));
  CHECK(text(ended.output) == Contains(("cut off   tiny (seed=1) -> runs/" + folders[1] + "\n").c_str()));
  CHECK(text(ended.output) ==
        Contains("to do     tiny (seed=2)\nin runs: 1 finished, 1 cut off, 1 to do\ntime: about "));
  CHECK(text(ended.output) ==
        Contains(" one after the other, as long as iterations took in finished runs\nmemory: up to "));
  CHECK(text(nbs({"check", "a.toml", "--out", "other"}).output) ==
        Contains("in other: 0 finished, 0 cut off, 3 to do"));
}

TEST_CASE("problems of all files are said at once, each once, with exit code 2") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline() + "itertions = 3\nalpha = \"x\"\n[sweep.grid]\nseed = [0, 1]\n");
  nbs.folder().write("b.toml", "seed = = 1\n");
  const auto ended = nbs({"check", "a.toml", "b.toml", "none.toml"});
  CHECK(ended.status == 2);
  CHECK(ended.output.empty());
  CHECK(text(ended.errors) ==
        Contains("a.toml:30:1: [train] has no option \"itertions\"; did you mean \"iterations\"?\n"
                 "a.toml:31:1: alpha must be of type real, but is the text \"x\"\nb.toml:1:8: "));
  CHECK(text(ended.errors) ==
        Contains("none.toml: the pipeline file none.toml cannot be opened (No such file or directory)"));
  CHECK(ended.errors.find("itertions") == ended.errors.rfind("itertions"));
}

TEST_CASE("an unknown plugin is refused with near names and the folders that were searched") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  nbs.folder().write("plugins/words.so", "no library");
  const auto ended = nbs({"check", "a.toml", "--set", "sampler.plugin=randon", "--plugin-path", "plugins"});
  CHECK(ended.status == 2);
  CHECK(text(ended.errors) ==
        Contains("--set sampler.plugin=randon: there is no sampler \"randon\"; did you mean \"random\"?"));
  CHECK(text(ended.errors) == Contains(("searched: " + (nbs.folder() / "plugins").string() + ", ").c_str()));
  CHECK(text(ended.errors) == Contains("words.so: it cannot be loaded: "));
}

TEST_CASE("what does not fit together is refused before anything is made") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny_pipeline());
  auto ended = nbs({"run", "a.toml", "--set", "profile.patch_size=64"});
  CHECK(ended.status == 2);
  CHECK(text(ended.errors) ==
        Contains("the patch (64 x 64, profile.patch_size) is larger than the image (32 x 32, data.image_size)"));
  ended = nbs({"run", "a.toml", "--set", "data.labeled=7"});
  CHECK(ended.status == 2);
  CHECK(text(ended.errors) == Contains("data.labeled is 7, but only 6 images are generated (data.count)"));
  ended = nbs({"run", "a.toml", "--set", "data.format=mvtec", "--set", "data.root=nowhere"});
  CHECK(ended.status == 2);
  CHECK(text(ended.errors) ==
        Contains(("the data folder " + (nbs.folder() / "nowhere").string() + " does not exist").c_str()));
  CHECK_FALSE(std::filesystem::exists(nbs.folder() / "runs"));
}

TEST_CASE("wrong use of the command line has exit code 2, help 0") {
  const Program nbs;
  CHECK(nbs({}).status == 2);
  CHECK(nbs({"chekc"}).status == 2);
  CHECK(nbs({"check"}).status == 2);
  CHECK(nbs({"check", "--unknown", "a.toml"}).status == 2);
  const auto help = nbs({"--help"});
  CHECK(help.status == 0);
  CHECK(text(help.output) == Contains("Exit codes: 0 done; 1 failed; 2 wrong use"));
  CHECK(help.errors.empty());
}
