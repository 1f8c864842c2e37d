// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/catalog.h"

#include "error_text.h"

using namespace nbs;
using doctest::Contains;
using Json = nlohmann::ordered_json;

namespace {

OptionSpec option_of(const char* name, Value value) {
  OptionSpec spec;
  spec.name = name;
  spec.type = type_of(value);
  spec.default_value = std::move(value);
  spec.doc = std::string("What ") + name + " does: \"é\".";
  return spec;
}

// An option of every type, one of each kind of plugin.
host::Catalog full_catalog() {
  host::Catalog catalog;
  for (const Kind kind : {Kind::sampler, Kind::autoencoder, Kind::predictor, Kind::postprocessor}) {
    host::PluginDescription plugin;
    plugin.kind = kind;
    plugin.name = "one";
    plugin.doc = "A doc";
    plugin.file = "/opt/libone.so";
    plugin.library = "ones";
    plugin.version = "1.2.3";
    plugin.hash = "0123";
    plugin.options = {option_of("boolean", true),
                      option_of("integer", std::int64_t{9007199254740993}),
                      option_of("real", 1.0),
                      option_of("small", 0.1),
                      option_of("text", std::string("a\nb")),
                      option_of("integers", std::vector<std::int64_t>{1, -2}),
                      option_of("reals", std::vector<double>{1.0, 2.5e-300}),
                      option_of("no_reals", std::vector<double>{}),
                      option_of("texts", std::vector<std::string>{"a", "b"})};
    plugin.options[1].minimum = -1;
    plugin.options[2].maximum = 0.3333333333333333;
    plugin.options[3].tuning = {0.5, 3};
    plugin.options[4].choices = {"a\nb", "c"};
    catalog.plugins.push_back(plugin);
  }
  catalog.refusals = {{"/opt/bad.so", "/opt/bad.so: it is bad"}};
  catalog.warnings = {"a warning"};
  catalog.searched = {"/opt", "/usr"};
  return catalog;
}

}  // namespace

TEST_CASE("a catalog written as JSON text and read back has every value, in its own type") {
  const auto before = full_catalog();
  const auto after = host::catalog_from_json(Json::parse(host::to_json(before).dump()));
  REQUIRE(after.plugins.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& one = before.plugins[i];
    const auto& other = after.plugins[i];
    CHECK(other.kind == one.kind);
    CHECK(other.name == one.name);
    CHECK(other.doc == one.doc);
    CHECK(other.file == one.file);
    CHECK(other.library == one.library);
    CHECK(other.version == one.version);
    CHECK(other.hash == one.hash);
    REQUIRE(other.options.size() == one.options.size());
    for (std::size_t j = 0; j < one.options.size(); ++j) {
      CAPTURE(one.options[j].name);
      CHECK(other.options[j].name == one.options[j].name);
      CHECK(other.options[j].type == one.options[j].type);
      CHECK(other.options[j].default_value == one.options[j].default_value);
      CHECK(other.options[j].minimum == one.options[j].minimum);
      CHECK(other.options[j].maximum == one.options[j].maximum);
      CHECK(other.options[j].choices == one.options[j].choices);
      CHECK(other.options[j].tuning == one.options[j].tuning);
      CHECK(other.options[j].doc == one.options[j].doc);
    }
  }
  REQUIRE(after.refusals.size() == 1);
  CHECK(after.refusals[0].file == "/opt/bad.so");
  CHECK(after.refusals[0].reason == "/opt/bad.so: it is bad");
  CHECK(after.warnings == before.warnings);
  CHECK(after.searched == before.searched);
}

TEST_CASE("JSON that is no catalog is refused with what is wrong") {
  const auto good = host::to_json(full_catalog());
  const auto refusal = [](const Json& json) { return test::error_text([&] { host::catalog_from_json(json); }); };
  CHECK(refusal(good) == "no error");
  CHECK(refusal(Json::array()) == Contains("the description of the plugins cannot be read: "));
  auto bad = good;
  bad["plugins"][0].erase("hash");
  CHECK(refusal(bad) == Contains("hash"));
  bad = good;
  bad["plugins"][1]["kind"] = "smaplers";
  CHECK(refusal(bad) == "a catalog names the kind \"smaplers\", which this version does not know");
  bad = good;
  bad["plugins"][1]["options"][0]["type"] = "color";
  CHECK(refusal(bad) == "a catalog names the type \"color\", which this version does not know");
  bad = good;
  bad["plugins"][1]["options"][0]["default"] = "true";
  CHECK(refusal(bad) == Contains("the description of the plugins cannot be read: "));
}

TEST_CASE("a plugin is found by kind and name together") {
  auto catalog = full_catalog();
  catalog.plugins[2].name = "two";
  CHECK(catalog.find(Kind::sampler, "one") == &catalog.plugins[0]);
  CHECK(catalog.find(Kind::predictor, "two") == &catalog.plugins[2]);
  CHECK(catalog.find(Kind::predictor, "one") == nullptr);
}

TEST_CASE("an unknown plugin: near names of its kind, all names, folders, refused libraries") {
  auto catalog = full_catalog();
  catalog.plugins[1].name = "onne";
  CHECK(host::unknown_plugin(catalog, Kind::sampler, "onne") ==
        "there is no sampler \"onne\"; did you mean \"one\"?\n  known: one\n  searched: /opt, /usr\n"
        "  refused: /opt/bad.so: it is bad");
  CHECK(host::unknown_plugin({}, Kind::predictor, "x") == "there is no predictor \"x\"\n  searched: no folder");
}
