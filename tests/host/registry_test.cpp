// SPDX-License-Identifier: Apache-2.0
#include <cstring>

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

TEST_CASE("a name that is taken is refused with both files, and the first stays") {
  const nbs::test::Scratch scratch;
  auto& host = registry();
  REQUIRE(host.load(test_plugin("manners")).empty());
  const auto second = nbs::test::changed_library(scratch, "manners", [](nbs::AbiRecord&) {});
  CHECK(host.load(second) == second.string() + ": it holds the sampler \"polite\", but " +
                                 test_plugin("manners").string() +
                                 " holds one of that name too; rename or remove one of them");
  CHECK(host.catalog().plugins.size() == 4);
  CHECK(host.catalog().find(Kind::sampler, "polite")->file == test_plugin("manners").string());
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
  REQUIRE(catalog.plugins.size() == 4);
  CHECK(catalog.plugins[0].file == first);
  REQUIRE(catalog.refusals.size() == 2);
  CHECK(catalog.refusals[0].file == empty);
  CHECK(catalog.refusals[1].file == later);
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
        "p.toml:3:1: sampler \"polite\", construction(): the option 'step' must be at most 8.0, but is 9");
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
  for (const char* name : {"", "none"}) {
    other.name = name;
    CHECK(refuse_registrations({good, other}) == std::string("it holds the predictor \"") + name +
                                                     "\", but pipelines cannot choose that name; give it another");
  }
  nbs::OptionSpec option;
  option.name = "plugin";
  option.default_value = false;
  good.options = {option};
  CHECK(refuse_registrations({good}) ==
        std::string("the sampler \"walk\" has an option \"plugin\", which pipelines cannot set; rename it"));
  option.name = "step";
  option.type = nbs::ValueType::integer;
  option.default_value = std::int64_t{0};
  option.minimum = 1;
  good.options = {option};
  CHECK(
      refuse_registrations({good}) ==
      std::string("the sampler \"walk\" has an option \"step\" whose default is not allowed: it must be at least 1.0, "
                  "but is 0; change the default or the range"));
}
