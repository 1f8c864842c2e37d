// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>

#include "nbs/base/hash.h"
#include "nbs/host/registration_check.h"
#include "nbs/host/search_path.h"

#include "error_text.h"
#include "test_plugins.h"
#include "torch_test.h"

using doctest::Contains;
using nbs::Kind;
using nbs::Registration;
using nbs::test::error_text;
using nbs::test::registry;
using nbs::test::test_plugin;
using nbs::test::text;

namespace {

nbs::Context& test_context() {
  static nbs::Context context({}, [](const std::string&) {});
  return context;
}

}  // namespace

TEST_CASE("a good library is loaded with all that it says of itself") {
  auto& host = registry();
  const auto file = test_plugin("manners");
  CHECK(host.load(file).empty());
  CHECK(host.catalog().refusals.empty());
  CHECK(host.catalog().warnings.empty());
  REQUIRE(host.catalog().plugins.size() == 4);
  const auto* const sampler = host.catalog().find(Kind::sampler, "polite");
  REQUIRE(sampler != nullptr);
  CHECK(sampler->doc == "A sampler with manners");
  CHECK(sampler->library == "manners");
  CHECK(sampler->version == "1.2.3");
  CHECK(sampler->file == file.string());
  CHECK(sampler->hash == nbs::file_sha256(file));
  REQUIRE(sampler->options.size() == 2);
  CHECK(sampler->options[1].name == "step");
  CHECK(sampler->options[1].maximum == 8.0);
  CHECK(host.catalog().find(Kind::postprocessor, "polite") != nullptr);
  CHECK(host.catalog().find(Kind::sampler, "rude") == nullptr);
  CHECK(host.make<nbs::Sampler>("polite", {}, test_context(), "")->is_trainable());
}

TEST_CASE("a library built by another compiler is loaded with a warning that names it") {
  const nbs::test::Scratch scratch;
  auto& host = registry();
  const auto file = nbs::test::changed_library(scratch, "manners",
                                               [](nbs::AbiRecord& record) { std::strcpy(record.compiler, "gcc 4.1"); });
  CHECK(host.load(file).empty());
  CHECK(host.catalog().plugins.size() == 4);
  REQUIRE(host.catalog().warnings.size() == 1);
  CHECK(text(host.catalog().warnings[0]) ==
        Contains((file.string() + ": it was built with the compiler gcc 4.1, this host with ").c_str()));
}

TEST_CASE("of two libraries that hold a plugin of one name, neither is taken until one is named; copies are one") {
  const nbs::test::Scratch scratch;
  auto& host = registry();
  const auto first = test_plugin("manners");
  REQUIRE(host.load(first).empty());
  // Another build: one byte of its record is another.
  const auto built_again = nbs::test::changed_library(
      scratch, "manners", [](nbs::AbiRecord& record) { std::strcpy(record.plugin_version, "1.2.4"); });
  const auto second = scratch / "other.so";
  std::filesystem::copy_file(built_again, second);
  REQUIRE(host.load(second).empty());
  const auto made = [&](const std::string& library) {
    return error_text(
        [&] { host.make<nbs::Sampler>("polite", {}, test_context(), "p.toml:3:1", library)->is_trainable(); });
  };
  CHECK(made("") ==
        text("p.toml:3:1: 2 libraries hold a sampler \"polite\"; say beside plugin which one is meant, for example "
             "library = \"manners.so\":\n  " +
             first.string() + "\n  " + second.string()));
  CHECK(made("manners.so") == "no error");
  CHECK(made(second.string()) == "no error");
  CHECK(made("third.so") == text("p.toml:3:1: no library \"third.so\" holds a sampler \"polite\"; it is in:\n  " +
                                 first.string() + "\n  " + second.string()));
  CHECK(host.catalog().find(Kind::sampler, "polite") == nullptr);
  CHECK(host.catalog().find(Kind::sampler, "polite", "other.so")->version == "1.2.4");
  // Another file of the same name: the name tells no more, its path does.
  REQUIRE(host.load(built_again).empty());
  CHECK(made("other.so") == "no error");
  const auto third = nbs::test::changed_library(
      scratch, "manners", [](nbs::AbiRecord& record) { std::strcpy(record.plugin_version, "1.2.5"); });
  REQUIRE(host.load(third).empty());
  CHECK(made("manners.so") == Contains(("3 libraries hold a sampler \"polite\"; say beside plugin which one is meant, "
                                        "for example library = \"" +
                                        first.string() + "\"")
                                           .c_str()));
  CHECK(made(third.string()) == "no error");
}

TEST_CASE("a library that changes after it was looked at is not run as what it was") {
  const nbs::test::Scratch scratch;
  const auto file = scratch / "manners.so";
  std::filesystem::copy_file(test_plugin("manners"), file);
  const auto& host = *nbs::host::Registry::open({scratch.path()});
  // As a build does it: another file takes its place.
  std::filesystem::remove(file);
  std::filesystem::copy_file(
      nbs::test::changed_library(scratch, "manners",
                                 [](nbs::AbiRecord& record) { std::strcpy(record.plugin_version, "1.2.4"); }),
      file);
  CHECK(error_text([&] { host.make<nbs::Sampler>("polite", {}, test_context(), ""); }) ==
        Contains("it has changed since it was looked at: its SHA-256 was "));
}

TEST_CASE("an object that is not of the kind that its library says is refused, not called") {
  auto& host = registry();
  REQUIRE(host.load(test_plugin("liar")).empty());
  CHECK(error_text([&] { host.make<nbs::Predictor>("liar", {}, test_context(), "p.toml:3:1"); }) ==
        "p.toml:3:1: predictor \"liar\", construction(): made an object that is no predictor; derive its class from "
        "nbs's interface for a predictor, or register it as what it is");
}

TEST_CASE("a plugin's own check refuses options before anything is made of them") {
  auto& host = registry();
  REQUIRE(host.load(test_plugin("manners")).empty());
  nbs::Context::Facts facts;
  facts.patch_size = 16;
  nbs::Context context(facts, [](const std::string&) {});
  const auto made = [&](std::int64_t step) {
    return error_text([&] { host.make<nbs::Autoencoder>("polite", {{"step", step}}, context, "p.toml:3:1"); });
  };
  CHECK(made(4) == "no error");
  CHECK(made(5) ==
        "p.toml:3:1: autoencoder \"polite\", check(): step is 5, which does not divide patches of 16 pixels");
}

TEST_CASE("folders are searched in order, their libraries by name; what is refused costs only itself") {
  const nbs::test::Scratch scratch;
  const auto put = [&](const char* plugin, const char* name) {
    std::filesystem::create_directories((scratch / name).parent_path());
    std::filesystem::copy_file(test_plugin(plugin), scratch / name);
    return (scratch / name).string();
  };
  const auto later = put("manners", "b/manners.so");
  const auto first = put("manners", "a/z.so");
  const auto empty = put("empty", "a/empty.so");
  scratch.write("a/readme.txt", "no library");
  put("manners", "a/deeper/manners.so");
  const auto& host = *nbs::host::Registry::open({scratch / "a", scratch / "none", scratch / "b"});
  const auto& catalog = host.catalog();
  CHECK(catalog.searched ==
        std::vector<std::string>{(scratch / "a").string(), (scratch / "none").string(), (scratch / "b").string()});
  REQUIRE(catalog.plugins.size() == 8);
  CHECK(catalog.plugins[0].file == first);
  CHECK(catalog.plugins[4].file == later);
  // The later one is a copy of the first, so there is nothing to choose.
  REQUIRE(catalog.find(Kind::sampler, "polite") != nullptr);
  CHECK(catalog.find(Kind::sampler, "polite")->file == first);
  REQUIRE(catalog.refusals.size() == 1);
  CHECK(catalog.refusals[0].file == empty);
}

TEST_CASE("a plugin that is not there is refused with near names, folders and refused libraries") {
  const nbs::test::Scratch scratch;
  std::filesystem::copy_file(test_plugin("manners"), scratch / "manners.so");
  std::filesystem::copy_file(test_plugin("empty"), scratch / "empty.so");
  const auto& host = *nbs::host::Registry::open({scratch.path()});
  CHECK(error_text([&] { host.make<nbs::Predictor>("plite", {}, test_context(), "p.toml:3:1"); }) ==
        text("p.toml:3:1: there is no predictor \"plite\"; did you mean \"polite\"?\n  known: polite\n  searched: " +
             scratch.path().string() + "\n  refused: " + (scratch / "empty.so").string() +
             ": it registers no plugin; call registrar.add in its NBS_PLUGIN body"));
}

TEST_CASE("a constructor that throws, and an option that is not allowed, name plugin and place") {
  auto& host = registry();
  REQUIRE(host.load(test_plugin("manners")).empty());
  const auto made_with = [&](const nbs::OptionValues& values) {
    return error_text([&] { host.make<nbs::Sampler>("polite", values, test_context(), "p.toml:3:1"); });
  };
  CHECK(made_with({}) == "no error");
  CHECK(made_with({{"manner", std::string("stillborn")}}) ==
        "p.toml:3:1: sampler \"polite\", construction(): no memory for 3 petabytes");
  CHECK(made_with({{"step", std::int64_t{9}}}) ==
        "p.toml:3:1: sampler \"polite\", construction(): the option 'step' must be at most 8, but is 9");
  CHECK(made_with({{"stpe", std::int64_t{2}}}) ==
        "p.toml:3:1: sampler \"polite\", construction(): there is no option 'stpe'");
}

TEST_CASE("registrations that no pipeline could use are refused") {
  using nbs::host::refuse_registrations;
  Registration good;
  good.name = "walk";
  Registration other = good;
  other.kind = Kind::predictor;
  CHECK_FALSE(refuse_registrations({good, other}));
  CHECK(refuse_registrations({good, other, good}) ==
        std::string("it holds the sampler \"walk\" twice; rename or remove one of them"));
  for (const char* name : {"", "none", "my sampler", "my.sampler", "m\"y", "s\xc3\xa9"}) {
    other.name = name;
    CHECK(refuse_registrations({good, other}) ==
          std::string("it holds the predictor \"") + name +
              "\", but pipelines cannot choose that name; give it another, of letters, digits, _ and -");
  }
  const auto refused_option = [&](const nbs::OptionSpec& spec) {
    good.options = {spec};
    return text(refuse_registrations({good}).value_or("taken"));
  };
  nbs::OptionSpec option;
  option.default_value = false;
  for (const char* name : {"plugin", "library"}) {
    option.name = name;
    CHECK(refused_option(option) == text("the sampler \"walk\" has an option \"" + option.name +
                                         "\", which pipelines cannot set, as that word chooses the plugin; rename it"));
  }
  for (const char* name : {"", "a b", "a.b", "a=1", "\xc3\xa9"}) {
    option.name = name;
    CHECK(refused_option(option) ==
          Contains("has a name that pipeline files cannot hold; use letters, digits, _ and -"));
  }
  const double infinity = std::numeric_limits<double>::infinity();
  option.name = "step";
  option.type = nbs::ValueType::integer;
  option.default_value = std::int64_t{0};
  CHECK(refused_option(option) == "taken");
  option.minimum = 1;
  CHECK(refused_option(option) ==
        "the sampler \"walk\" has an option \"step\" whose default is not allowed: it must be at least 1, but is 0; "
        "change the default or the range");
  option.minimum = -infinity;
  CHECK(refused_option(option) ==
        "the sampler \"walk\" has an option \"step\" that no pipeline could use: it has the "
        "lower bound -inf, which is no number; leave it out: .at_most() gives the other bound "
        "alone");
  option.minimum.reset();
  option.maximum = std::nan("");
  CHECK(refused_option(option) == Contains("has the upper bound nan, which is no number; leave it out: .at_least()"));
  option.maximum = 2.5;
  CHECK(refused_option(option) == Contains("is an integer, but has the upper bound 2.5; give it a whole number"));
  option.minimum = 3;
  option.maximum = 2;
  CHECK(refused_option(option) == Contains("has the lower bound 3.0 and the upper bound 2.0, so no value is allowed"));
  option.minimum = 0;
  option.tuning = {1, 3};
  CHECK(refused_option(option) == Contains("has the value 3.0 in .tune(), which the option itself does not allow"));
  option.tuning = {1, 1.5};
  CHECK(refused_option(option) == Contains("has the value 1.5 in .tune()"));
  option = {};
  option.name = "share";
  option.type = nbs::ValueType::real;
  option.default_value = infinity;
  CHECK(refused_option(option) == Contains("has the default inf, which is no number; choose a finite one"));
  option.type = nbs::ValueType::reals;
  option.default_value = std::vector<double>{1, std::nan("")};
  CHECK(refused_option(option) == Contains("has the default [1.0, nan], which is no number"));
}
