// SPDX-License-Identifier: Apache-2.0
#include "example.h"

using namespace nbs;
using test::resolved;

namespace {

// Every section and component, with values away from the defaults and texts that need escaping.
config::Pipeline unusual() {
  auto pipeline = resolved(
      "name = \"\\\"quotes\\\", back\\\\slash and é\"\nseed = 9007199254740993\n"
      "plugin_path = [\"/a b\", \"/c\\\"d\"]\n"
      "[experiment]\ndataset = \"x\"\n[data]\nanomalous_labels = []\n[augment]\nnoise = 0.1\nflip = false\n"
      "[profile]\ntransform = \"log\"\n[reward]\ncover_weight = 0.3333333333333333\n[buffer]\nsteps = 3\n"
      "[train]\nalpha = 1e-06\n[evaluation]\nthreshold = 0.1\n"
      "[[postproc]]\nplugin = \"smooth\"\nlabel = \"line\\nbreak, tab\\t, \\u0001 and \\u007f\"\nsigma = "
      "1e22\n[[postproc]]\nplugin = "
      "\"open\"\nradius = 3\n"
      "[sampler]\nplugin = \"walk\"\njump = true\n[autoencoder]\nplugin = \"linear\"\nrates = [1.0, 5e-324]\ninputs = "
      "[\"loss\", \"image\"]\n"
      "[predictor]\nplugin = \"mean\"\n");
  return pipeline;
}

}  // namespace

TEST_CASE("the resolved file resolves to itself, and no value is lost on the way") {
  const auto first = unusual();
  const auto text = config::to_toml(first);
  INFO(text);
  const auto second = resolved(text);
  CHECK(config::to_toml(second) == text);
  CHECK(second.name == "\"quotes\", back\\slash and é");
  CHECK(second.seed == 9007199254740993);
  CHECK(second.plugin_path == std::vector<std::string>{"/a b", "/c\"d"});
  CHECK(second.experiment.values == first.experiment.values);
  CHECK(second.data.values == first.data.values);
  CHECK(second.augment.values == first.augment.values);
  CHECK(second.profile.values == first.profile.values);
  CHECK(second.reward.values == first.reward.values);
  CHECK(second.buffer.values == first.buffer.values);
  CHECK(second.train.values == first.train.values);
  CHECK(second.evaluation.values == first.evaluation.values);
  CHECK(second.sampler->values == first.sampler->values);
  CHECK(second.autoencoder->values == first.autoencoder->values);
  REQUIRE(second.postproc.size() == 2);
  CHECK(second.postproc[0].values == first.postproc[0].values);
  CHECK(second.postproc[1].values == first.postproc[1].values);
  CHECK(second.reward.options.cover_weight == 0.3333333333333333);
  CHECK(test::value_of(second.postproc[0], "label") == Value{std::string("line\nbreak, tab\t, \x01 and \x7f")});
  CHECK(test::value_of(*second.autoencoder, "rates") == Value{std::vector<double>{1.0, 5e-324}});
}

TEST_CASE("every kind of plugin has a section, and the components are written in the order of the kinds") {
  const config::Pipeline empty;
  std::vector<Kind> kinds;
  visit_component_sections(empty, [&](Kind kind, const char*, const auto&) { kinds.push_back(kind); });
  CHECK(kinds == std::vector<Kind>(kKinds.begin(), kKinds.end()));

  std::string headers;
  visit_components(unusual(), [&](Kind, const std::string& header, const config::ComponentSpec& spec) {
    headers += header + spec.plugin;
  });
  CHECK(headers == "[sampler]walk[autoencoder]linear[predictor]mean[[postproc]]smooth[[postproc]]open");
}

TEST_CASE("the resolved file names every option of every section") {
  const auto text = config::to_toml(resolved(test::kGood));
  const auto sections = config::section_specs();
  CHECK(sections.size() == 8);
  for (const auto& [section, specs] : sections) {
    CAPTURE(section);
    const auto begin = text.find("\n[" + section + "]\n");
    REQUIRE(begin != std::string::npos);
    const auto body = text.substr(begin, text.find("\n[", begin + 1) - begin);
    CHECK_FALSE(specs.empty());
    for (const auto& spec : specs)
      CHECK(body.find("\n" + spec.name + " = " + to_text(spec.default_value) + "\n") != std::string::npos);
  }
}

TEST_CASE("the hash follows the options, not the comments or the order of a file") {
  const auto hash = config::short_hash(resolved(test::kGood));
  CHECK(hash.size() == 8);
  CHECK(hash.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(config::short_hash(resolved(std::string("# a comment\n\n") + test::kGood + "[train] # and another\n")) == hash);
  CHECK(config::short_hash(resolved(
            "[predictor]\nplugin = \"mean\"\n[autoencoder]\nplugin = \"linear\"\n[sampler]\nplugin = \"walk\"\n")) ==
        hash);
  // Written out or left to the default, with or without a decimal point.
  CHECK(config::short_hash(resolved(test::kGood, {"train.iterations=300", "reward.clone_weight=1"})) == hash);
  for (const char* change : {"seed=1", "name=q", "train.iterations=301", "sampler.step=5", "autoencoder.channels=[16]",
                             "augment.flip=false", "plugin_path=[\"/a\"]", "experiment.method=other"}) {
    CAPTURE(change);
    CHECK(config::short_hash(resolved(test::kGood, {change})) != hash);
  }
}

TEST_CASE("an option that changes no result makes no other pipeline") {
  const auto usual = resolved(test::kGood);
  const auto other = resolved(test::kGood, {"train.checkpoint_minutes=0.5", "data.memory=0"});
  CHECK(config::to_toml(other) != config::to_toml(usual));
  CHECK(config::short_hash(other) == config::short_hash(usual));
  CHECK(config::identity_of(config::to_toml(other)) == config::identity_of(config::to_toml(usual)));
  // A file of before there was the option is of the same pipeline, and nothing else is left out.
  auto before = config::to_toml(usual);
  const std::string line = "checkpoint_minutes = 5.0\n";
  for (const auto& without : {line, std::string("memory = 1024\n")}) {
    REQUIRE(before.find(without) != std::string::npos);
    before.erase(before.find(without), without.size());
  }
  CHECK(config::identity_of(before) == before);
  CHECK(config::identity_of(config::to_toml(usual)) == before);
  // In another section it is another option.
  CHECK(config::identity_of("[sampler]\n" + line) == "[sampler]\n" + line);
  CHECK(config::changes_results("train", "threads"));
  CHECK(config::changes_results("data", "count"));
}
