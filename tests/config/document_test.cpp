// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <functional>

#include "nbs/config/sweep.h"

#include "example.h"
#include "scratch.h"

using namespace nbs;
using config::Document;
using doctest::Contains;
using Texts = std::vector<std::string>;

namespace {

config::Pipeline resolved_file(const std::filesystem::path& file) {
  return config::resolve(Document::from_file(file), test::example_catalog());
}

Texts problems_of_file(const std::filesystem::path& file) {
  return test::problems_of([&] { resolved_file(file); });
}

std::string repeated(const std::string& part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += part;
  return text;
}

double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a file that cannot be opened is named") {
  CHECK(
      test::error_text([] { Document::from_file("none.toml"); }) ==
      "the pipeline file none.toml cannot be opened (No such file or directory); check that it exists and may be read");
  CHECK(test::error_text([] { Document::from_file("/"); }) ==
        "the pipeline file / cannot be opened: it is no regular file (but a folder); name a file");
}

TEST_CASE("a file overrides its base key by key, and lists as a whole") {
  const test::Scratch scratch;
  scratch.write("base.toml", std::string("name = \"base\"\nseed = 1\n[train]\npatches = 8\nminibatch = 4\n") +
                                 test::kGood + "[[postproc]]\nplugin = \"smooth\"\n[[postproc]]\nplugin = \"open\"\n");
  const auto file = scratch.write("sub/own.toml", "base = \"../base.toml\"\nseed = 2\n[train]\npatches = 16\n");
  auto pipeline = resolved_file(file);
  CHECK(pipeline.name == "base");
  CHECK(pipeline.seed == 2);
  CHECK(pipeline.train.options.patches == 16);
  CHECK(pipeline.train.options.minibatch == 4);
  CHECK(pipeline.postproc.size() == 2);
  pipeline = resolved_file(scratch.write("chain.toml", "base = \"base.toml\"\n[[postproc]]\nplugin = \"open\"\n"));
  REQUIRE(pipeline.postproc.size() == 1);
  CHECK(pipeline.postproc[0].plugin == "open");
  CHECK(resolved_file(scratch.write("bare.toml", "base = \"base.toml\"\npostproc = []\n")).postproc.empty());
}

TEST_CASE("of several bases the later wins, and the file over all of them") {
  const test::Scratch scratch;
  scratch.write("root.toml",
                std::string(test::kGood) + "[train]\npatches = 1\nminibatch = 1\niterations = 100\nwarmup = 1\n");
  scratch.write("a.toml", "base = \"root.toml\"\n[train]\npatches = 2\nminibatch = 2\niterations = 200\n");
  scratch.write("b.toml", "[train]\npatches = 3\nminibatch = 3\n");
  const auto file = scratch.write("own.toml", "base = [\"a.toml\", \"b.toml\"]\n[train]\npatches = 4\n");
  const auto train = resolved_file(file).train.options;
  CHECK(train.patches == 4);
  CHECK(train.minibatch == 3);
  CHECK(train.iterations == 200);
  CHECK(train.warmup == 1);
  // Turned round, a's values win over b's.
  CHECK(resolved_file(scratch.write("turned.toml", "base = [\"b.toml\", \"a.toml\"]\n")).train.options.minibatch == 2);
  // Two bases may share one of their own; an empty list is no base.
  scratch.write("b.toml", "base = \"root.toml\"\n[train]\nminibatch = 3\n");
  CHECK(resolved_file(file).train.options.minibatch == 3);
  CHECK(resolved_file(scratch.write("alone.toml", std::string("base = []\n") + test::kGood)).train.options.patches ==
        config::TrainOptions().patches);
}

TEST_CASE("bases that close a circle are refused where the circle closes") {
  const test::Scratch scratch;
  const auto place = [&](const char* name, const char* where) { return (scratch / name).string() + where; };
  const auto self = scratch.write("self.toml", "base = \"self.toml\"\n");
  REQUIRE(problems_of_file(self).size() == 1);
  CHECK(test::text(problems_of_file(self)[0]) == Contains((place("self.toml", ":1:1: base = ")).c_str()));
  CHECK(test::text(problems_of_file(self)[0]) == Contains("closes a circle: that file is based on this one"));
  const auto a = scratch.write("a.toml", "base = \"b.toml\"\n");
  scratch.write("b.toml", "seed = 1\nbase = [\"c.toml\", \"a.toml\"]\n");
  scratch.write("c.toml", "seed = 2\n");
  REQUIRE(problems_of_file(a).size() == 1);
  CHECK(test::text(problems_of_file(a)[0]) == Contains((place("b.toml", ":2:19: base = ")).c_str()));
  // A circle that the file itself is not part of.
  const auto outside = scratch.write("outside.toml", "base = \"d.toml\"\n");
  scratch.write("d.toml", "base = \"e.toml\"\n");
  scratch.write("e.toml", "base = \"d.toml\"\n");
  REQUIRE(problems_of_file(outside).size() == 1);
  CHECK(test::text(problems_of_file(outside)[0]) == Contains(place("e.toml", ":1:1: base = ").c_str()));
  // Also by a relative path that leads up and down again.
  const auto relative = std::filesystem::relative(a);
  REQUIRE(relative.is_relative());
  REQUIRE(problems_of_file(relative).size() == 1);
  CHECK(test::text(problems_of_file(relative)[0]) == Contains("b.toml:2:19: base = "));
}

TEST_CASE("a base that is missing, broken or no name is refused at its place") {
  const test::Scratch scratch;
  const auto file = scratch.write("own.toml", "seed = 1\nbase = \"none.toml\"\n");
  CHECK(problems_of_file(file) ==
        Texts{file.string() + ":2:1: the base file " + (scratch / "none.toml").string() +
              " cannot be opened (No such file or directory); check that it exists and may be read"});
  scratch.write("none.toml", "seed = = 1\n");
  REQUIRE(problems_of_file(file).size() == 1);
  CHECK(test::text(problems_of_file(file)[0]) == Contains((scratch / "none.toml:1:8: this is not TOML").c_str()));
  for (const char* base : {"3", "true", "[3]", "[[\"none.toml\"]]", "{ file = \"none.toml\" }"}) {
    CAPTURE(base);
    const auto problems = problems_of_file(scratch.write("bad.toml", std::string("base = ") + base + "\n"));
    REQUIRE(problems.size() == 1);
    CHECK(test::text(problems[0]) == Contains("base must name another pipeline file, as a text, or several in a list"));
  }
}

TEST_CASE("a problem in a base is shown in the base, one in the file in the file") {
  const test::Scratch scratch;
  const auto base = scratch.write("base.toml", std::string(test::kGood) + "[train]\npatches = 0\nwarmup = 0\n");
  const auto file = scratch.write("own.toml", "base = \"base.toml\"\n\n[train]\nminibatch = 0\n");
  CHECK(problems_of_file(file) == Texts{base.string() + ":8:1: patches must be at least 1, but is 0",
                                        file.string() + ":4:1: minibatch must be at least 1, but is 0"});
}

TEST_CASE("another plugin than the base's drops the base's options, the same one keeps them") {
  const test::Scratch scratch;
  scratch.write("base.toml",
                "[sampler]\nplugin = \"walk\"\nstep = 9\njump = true\n[predictor]\nplugin = \"mean\"\n"
                "[autoencoder]\nplugin = \"linear\"\n");
  scratch.write("still.toml", "base = \"base.toml\"\n[sampler]\nplugin = \"still\"\n");
  const auto still = resolved_file(scratch / "still.toml");
  CHECK(still.sampler->plugin == "still");
  CHECK(test::value_of(*still.sampler, "step") == Value{std::int64_t{4}});  // the default, not the walk's 9
  const auto same =
      resolved_file(scratch.write("same.toml", "base = \"base.toml\"\n[sampler]\nplugin = \"walk\"\njump = false\n"));
  CHECK(test::value_of(*same.sampler, "step") == Value{std::int64_t{9}});
  CHECK(test::value_of(*same.sampler, "jump") == Value{false});
  const auto options = resolved_file(scratch.write("options.toml", "base = \"base.toml\"\n[sampler]\nstep = 5\n"));
  CHECK(options.sampler->plugin == "walk");
  CHECK(test::value_of(*options.sampler, "step") == Value{std::int64_t{5}});
  // Back again over three files: nothing of the first comes back.
  const auto back = resolved_file(scratch.write("back.toml", "base = \"still.toml\"\n[sampler]\nplugin = \"walk\"\n"));
  CHECK(test::value_of(*back.sampler, "step") == Value{std::int64_t{4}});
  CHECK(test::value_of(*back.sampler, "jump") == Value{false});
}

TEST_CASE("paths are relative to the file they are written in, overrides to the current folder") {
  const test::Scratch scratch;
  std::filesystem::create_directories(scratch / "lib/images");
  scratch.write(
      "lib/base.toml",
      std::string("plugin_path = [\"plugins\", \"/opt/x\"]\n[data]\nformat = \"folder\"\nroot = \"images\"\n") +
          test::kGood);
  const auto file = scratch.write("runs/own.toml", "base = \"../lib/base.toml\"\n");
  const auto pipeline = resolved_file(file);
  CHECK(pipeline.data.options.root == (scratch / "lib/images").string());
  CHECK(pipeline.plugin_path == Texts{(scratch / "lib/plugins").string(), "/opt/x"});
  auto document = Document::from_file(file);
  document.apply("data.root=.");
  CHECK(config::resolve(document, test::example_catalog()).data.options.root ==
        (std::filesystem::current_path() / ".").lexically_normal().string());
}

TEST_CASE("keys of very many parts and very deep lists are refused at their place, before they can fill the stack") {
  const auto refusal = [](const std::string& text) {
    return test::error_text([&] { Document::from_text(text, "p.toml"); });
  };
  CHECK(refusal("seed = 1\n" + repeated("a.", 20000) + "a = 1\n") ==
        "p.toml:2:32: a key has more than 16 parts, which no pipeline needs; write it flatter");
  CHECK(refusal("[" + repeated("a.", 20000) + "a]\n") == Contains("a key has more than 16 parts"));
  CHECK(refusal("x = " + repeated("[", 100000)) ==
        "p.toml:1:37: lists and tables are nested more than 32 deep, which no pipeline needs; write it flatter");
  CHECK(refusal("x = " + repeated("{ a.b = ", 20000)) == Contains("nested more than 32 deep"));
  // A quote more than three at the end of a text of several lines belongs to the text, and hides nothing.
  CHECK(refusal("x = [\"\"\"a\"\"\"\", {" + repeated("a.", 20000) + "a = 1}]\n") == Contains("more than 16 parts"));
  CHECK(refusal("x = ['''a''''', {" + repeated("a.", 20000) + "a = 1}]\n") == Contains("more than 16 parts"));
  CHECK(refusal("\"x\\\"\" = 1\n" + repeated("a.", 20000) + "a = 1\n") == Contains("more than 16 parts"));
  // What only looks like a long key.
  const auto dots = repeated("a.", 100);
  CHECK(refusal("x = \"\\\"" + dots + "\"\n") == "no error");
  CHECK(refusal("a = \"" + dots + "\"\nb = '" + dots + "' # " + dots + "\nc = \"\"\"\n" + dots + "\n\"\"\"\nd = [" +
                repeated("0.5, ", 100) + "]\n\"" + dots + "\" = 1\n") == "no error");
  CHECK(refusal("[[a]]\n[a.b]\nc = [[[1]]]\n") == "no error");
  const auto override_refusal = [](const std::string& text) {
    return test::error_text([&] { Document::from_text("", "p.toml").apply(text); });
  };
  CHECK(override_refusal(repeated("a.", 20000) + "a=1") == Contains("has 20001 parts, but at most 16 make sense"));
  CHECK(override_refusal("seed=" + repeated("[", 100000)) == Contains("nested more than 32 deep"));
}

TEST_CASE("bases that share bases are read once each, however many ways lead to them") {
  const test::Scratch scratch;
  // Without that, the file at the bottom would be read 2^25 times.
  for (int i = 0; i < 25; ++i) {
    const auto next = "\"f" + std::to_string(i + 1) + ".toml\"";
    scratch.write("f" + std::to_string(i) + ".toml", "base = [" + next + ", " + next + "]\n");
  }
  scratch.write("f25.toml", std::string(test::kGood) + "[train]\npatches = 3\n");
  CHECK(seconds_of([&] { CHECK(resolved_file(scratch / "f0.toml").train.options.patches == 3); }) < 2);
}

TEST_CASE("more bases than any pipeline needs are refused, and so is what is no regular file") {
  const test::Scratch scratch;
  for (int i = 0; i < 40; ++i)
    scratch.write("f" + std::to_string(i) + ".toml", "base = \"f" + std::to_string(i + 1) + ".toml\"\n");
  REQUIRE(problems_of_file(scratch / "f0.toml").size() == 1);
  CHECK(test::text(problems_of_file(scratch / "f0.toml")[0]) == Contains("a chain of more than 32 files"));
  scratch.write("e.toml", "");
  const auto many = scratch.write("many.toml", "base = [" + repeated("\"e.toml\", ", 300) + "]\n");
  REQUIRE(problems_of_file(many).size() == 1);
  CHECK(test::text(problems_of_file(many)[0]) == Contains("more than 256 bases are named altogether"));
  const auto device = scratch.write("device.toml", "base = \"/dev/zero\"\n");
  CHECK(problems_of_file(device) ==
        Texts{device.string() + ":1:1: the base file /dev/zero cannot be opened: it is no regular file (but a device, "
                                "pipe or socket); name a file"});
  const auto large = scratch.write("large.toml", "# " + std::string(1 << 20, 'x') + "\n");
  CHECK(test::error_text([&] { Document::from_file(large); }) == Contains("has more than 1048576 bytes"));
}

TEST_CASE("of very many problems the first hundred are shown, soon") {
  std::string text = "[predictor]\nplugin = \"mean\"\n[train]\n";
  for (int i = 0; i < 20000; ++i)
    text += "itertions" + std::to_string(i) + " = 1\n";
  std::string message;
  CHECK(seconds_of([&] { message = test::error_text([&] { test::resolved(text); }).c_str(); }) < 2);
  CHECK(std::count(message.begin(), message.end(), '\n') == 100);
  CHECK(test::text(message) == Contains("p.toml:103:1: [train] has no option \"itertions99\""));
  CHECK(message.substr(message.rfind('\n') + 1) == "… and 19900 more problems");
  // A name of half a megabyte is neither compared with others nor shown whole.
  const auto long_name = test::problems_in(test::kGood + ("[train]\n" + std::string(500000, 'x') + " = 1\n"));
  REQUIRE(long_name.size() == 1);
  CHECK(long_name[0] == "p.toml:8:1: [train] has no option \"" + std::string(80, 'x') + "…\"");
}

TEST_CASE("paths in a sweep are relative to the file too") {
  const test::Scratch scratch;
  const auto file = scratch.write(
      "sub/p.toml", std::string(test::kGood) +
                        "[sweep.grid]\n\"data.root\" = [\"images\", \"/abs\"]\n\"plugin_path\" = [[\"plugins\"]]\n"
                        "[[sweep.exclude]]\n\"data.root\" = \"/abs\"\n");
  const auto cells = config::expand(Document::from_file(file));
  REQUIRE(cells.size() == 1);
  const auto pipeline = config::resolve(cells[0].document, test::example_catalog(), config::Purpose::predict);
  CHECK(pipeline.data.options.root == (scratch / "sub/images").string());
  CHECK(pipeline.plugin_path == Texts{(scratch / "sub/plugins").string()});
  CHECK(config::plugin_path_of(cells[0].document) == Texts{(scratch / "sub/plugins").string()});
}

TEST_CASE("a section that stands in the base and in the file is shown in the file") {
  const test::Scratch scratch;
  scratch.write("base.toml", std::string(test::kGood) + "[train]\npatches = 8\n");
  const auto file = scratch.write("own.toml", "base = \"base.toml\"\n\n[train]\nminibatch = 4\n");
  const auto document = Document::from_file(file);
  CHECK(document.location_of("train.alpha").text() == file.string() + ":3:2");
  CHECK(document.location_of("train.minibatch").text() == file.string() + ":4:1");
  CHECK(document.location_of("train.patches").text() == (scratch / "base.toml").string() + ":8:1");
  CHECK(document.location_of("data.root").text() == file.string() + ":1:1");
}

TEST_CASE("32 bases in a chain are read, one more is not") {
  const test::Scratch scratch;
  scratch.write("f33.toml", test::kGood);
  for (int i = 0; i < 33; ++i)
    scratch.write("f" + std::to_string(i) + ".toml", "base = \"f" + std::to_string(i + 1) + ".toml\"\n");
  CHECK(problems_of_file(scratch / "f1.toml").empty());
  CHECK(problems_of_file(scratch / "f0.toml").size() == 1);
}

TEST_CASE("bases that are too large altogether are refused, though each is not") {
  const test::Scratch scratch;
  const std::string filling = "#" + std::string((1 << 20) - 2, 'x') + "\n";
  std::string names;
  for (int i = 0; i < 5; ++i) {
    if (i == 4) CHECK_NOTHROW(Document::from_file(scratch.write("four.toml", "base = [" + names + "]\n")));
    const auto name = std::to_string(i) + ".toml";
    scratch.write(name, filling);
    names += "\"" + name + "\", ";
  }
  const auto problems = problems_of_file(scratch.write("five.toml", "base = [" + names + "]\n"));
  REQUIRE(problems.size() == 1);
  CHECK(test::text(problems[0]) == Contains("the bases have more than 4194304 bytes altogether"));
}

TEST_CASE("a folder of plugins has a name that a pipeline file can hold") {
  const test::Scratch scratch;
  CHECK_FALSE(config::refuse_plugin_folder(scratch.path().string()).has_value());
  for (const std::string& unfit : {std::string("p\xff"), std::string("p\0", 2)}) {
    std::filesystem::create_directories(scratch / unfit);
    CHECK(test::text(config::refuse_plugin_folder((scratch / unfit).string()).value_or("")) ==
          Contains("is not UTF-8, which the resolved pipeline file is; rename the folder"));
  }
}
