// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/files.h"
#include <nbs/masker.h>

#include "error_text.h"
#include "finished_run.h"

using doctest::Contains;
using nbs::Masker;
using nbs::test::copy_of_run;
using nbs::test::finished_run;
using nbs::test::with_finished_run;
namespace fs = std::filesystem;

namespace {

// The sentence of a call that must be refused as wrong use.
doctest::String wrong_call(nbs_status status) {
  CHECK(status == NBS_WRONG_CALL);
  return nbs_error();
}

doctest::String refusal(const fs::path& run, const nbs::MaskerOptions& options = {}) {
  return nbs::test::error_text([&] { const Masker masker(run.string(), options); });
}

using Json = nlohmann::ordered_json;

template <typename Change>
void change_json(const fs::path& file, const Change& change) {
  auto json = Json::parse(nbs::read_file(file));
  change(json);
  nbs::write_file(file, json.dump());
}

template <typename Change>
void change_result(const fs::path& run, const Change& change) {
  change_json(run / "result.json", [&](Json& json) {
    json.erase("checksum");
    change(json);
  });
}

void replace_in(const fs::path& file, const std::string& text, const std::string& other) {
  auto content = nbs::read_file(file);
  const auto at = content.find(text);
  REQUIRE(at != std::string::npos);
  nbs::write_file(file, content.replace(at, text.size(), other));
}

// A masker with an image and an output that are right, for a test to spoil one thing of.
struct Call {
  Call() { REQUIRE(nbs_load(finished_run().c_str(), nullptr, &masker) == NBS_OK); }
  ~Call() { nbs_free(masker); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  nbs_status operator()() const { return nbs_mask(masker, &image, &output); }

  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(4 * 5 * 3, 90);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(4 * 5);
  std::vector<float> probability = std::vector<float>(4 * 5 + 1);
  nbs_masker* masker = nullptr;
  nbs_image image = {pixels.data(), 4, 5, 0, NBS_RGB8};
  nbs_output output = {mask.data(), 0, probability.data(), 0, nullptr};
};

}  // namespace

TEST_CASE("a folder that is no finished run is refused, with what to do") {
  const auto& folder = with_finished_run().folder();
  CHECK(refusal(folder / "nowhere") == Contains("nowhere holds no result.json, so it is no folder of a run that has"));
  CHECK(refusal("") == Contains("holds no result.json"));
  const auto unfinished = copy_of_run("unfinished");
  fs::remove(unfinished / "result.json");
  CHECK(refusal(unfinished) == Contains("holds no result.json, so it is no folder of a run that has ended"));
  const auto untrained = copy_of_run("untrained");
  change_result(untrained, [](Json& json) {
    json.erase("threshold");
    json.erase("best");
    json["ending"] = "interrupted";
  });
  CHECK(refusal(untrained) == Contains("ended before any profile was full, so it has no model; run it longer"));
  const auto unclear = copy_of_run("unclear");
  change_result(unclear, [](Json& json) { json.erase("threshold"); });
  CHECK(refusal(unclear) == Contains("result.json is damaged: it has no threshold; copy the run's folder again"));
  const auto unresolved = copy_of_run("unresolved");
  fs::remove(unresolved / "resolved.toml");
  CHECK(refusal(unresolved) == Contains("resolved.toml"));
  const auto damaged = copy_of_run("damaged");
  auto bytes = nbs::read_file(damaged / "model" / "predictor.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  nbs::write_file(damaged / "model" / "predictor.safetensors", bytes);
  CHECK(refusal(damaged) == Contains("predictor.safetensors has the SHA-256 "));
  fs::remove(damaged / "model" / "predictor.safetensors");
  CHECK(refusal(damaged) == Contains("predictor.safetensors"));
}

TEST_CASE("a plugin that is not there, and a folder that is none, are named") {
  const auto run = copy_of_run("other-plugin");
  replace_in(run / "resolved.toml", "\"morphology\"", "\"morphologie\"");
  const auto sentence = refusal(run);
  CHECK(sentence == Contains("there is no postprocessor \"morphologie\"; did you mean \"morphology\"?"));
  CHECK(sentence == Contains("lib/nbs/plugins"));
  nbs::MaskerOptions options;
  options.plugin_folders = {"/nowhere/at/all"};
  CHECK(refusal(finished_run(), options) ==
        "the plugin folder \"/nowhere/at/all\" is no folder; name one that holds plugin libraries");
}

TEST_CASE("other libraries than those of the run are loaded only if that is allowed, and then there is a warning") {
  const auto run = copy_of_run("changed");
  std::string recorded;
  change_json(run / "provenance.json", [&](Json& json) {
    for (auto& plugin : json["plugins"]) {
      if (plugin["name"] != "dilated") continue;
      recorded = plugin["sha256"];
      plugin["sha256"] = std::string(64, 'a');
    }
  });
  REQUIRE(recorded.size() == 64);
  const auto sentence = refusal(run);
  CHECK(sentence == Contains("there is no predictor \"dilated\""));
  CHECK(sentence == Contains("libnbs-dilated.so: it is not the library that the run was made with"));
  CHECK(sentence == Contains(recorded.c_str()));
  CHECK(sentence == Contains(std::string(64, 'a').c_str()));
  std::string warnings;
  nbs::MaskerOptions options;
  options.allow_changed_plugins = true;
  options.log = [&](const std::string& line) { warnings += line + "\n"; };
  const Masker changed(run.string(), options);
  CHECK(nbs::test::text(warnings) ==
        Contains("was made with other plugins: the predictor \"dilated\" was libnbs-dilated.so"));
  warnings.clear();
  const Masker unchanged(finished_run(), options);
  CHECK(warnings == "");
}

TEST_CASE("without a record of its plugins a run is loaded only if any are allowed") {
  const auto run = copy_of_run("unrecorded");
  fs::remove(run / "provenance.json");
  CHECK(refusal(run) ==
        Contains("so nobody knows which plugin libraries the run was made with; copy the whole folder"));
  std::string warnings;
  nbs::MaskerOptions options;
  options.allow_changed_plugins = true;
  options.log = [&](const std::string& line) { warnings += line + "\n"; };
  const Masker masker(run.string(), options);
  CHECK(nbs::test::text(warnings) == Contains("so nobody knows whether these are the plugins of the run"));
}

TEST_CASE("the run's own library is taken where another of its name lies in front of it") {
  const auto& folder = with_finished_run().folder();
  const auto run = copy_of_run("hidden");
  fs::create_directory(folder / "front");
  const auto changed = folder / "front" / "libnbs-dilated.so";
  nbs::write_file(changed, nbs::read_file(fs::path(NBS_BUILT_PLUGINS) / changed.filename()) + "more");
  nbs::write_file(folder / "front" / "libnbs-conv.so", "no library at all");
  nbs::MaskerOptions options;
  options.plugin_folders = {(folder / "front").string()};
  CHECK(refusal(run, options) == "no error");
  std::string warnings;
  options.allow_changed_plugins = true;  // where there is no other
  options.log = [&](const std::string& line) { warnings += line + "\n"; };
  CHECK(refusal(run, options) == "no error");
  CHECK(warnings == "");
}

TEST_CASE("null pointers are wrong calls") {
  Call call;
  nbs_masker* masker = call.masker;
  CHECK(wrong_call(nbs_load(finished_run().c_str(), nullptr, nullptr)) ==
        "masker is a null pointer; give it what nbs.h says");
  CHECK(wrong_call(nbs_load(nullptr, nullptr, &masker)) == Contains("run_folder is a null pointer"));
  CHECK(masker == nullptr);
  nbs_load_options options = {};
  options.plugin_folder_count = 1;
  CHECK(wrong_call(nbs_load("x", &options, &masker)) == Contains("options.plugin_folders is a null pointer"));
  const char* const folders[] = {"x", nullptr};
  options.plugin_folders = folders;
  options.plugin_folder_count = 2;
  CHECK(wrong_call(nbs_load("x", &options, &masker)) == Contains("options.plugin_folders[1] is a null pointer"));
  CHECK(wrong_call(nbs_mask(nullptr, &call.image, &call.output)) == Contains("masker is a null pointer"));
  CHECK(wrong_call(nbs_mask(call.masker, nullptr, &call.output)) == Contains("image is a null pointer"));
  CHECK(wrong_call(nbs_mask(call.masker, &call.image, nullptr)) == Contains("output is a null pointer"));
  nbs_facts facts = {};
  CHECK(wrong_call(nbs_get_facts(nullptr, &facts)) == Contains("masker is a null pointer"));
  CHECK(wrong_call(nbs_get_facts(call.masker, nullptr)) == Contains("facts is a null pointer"));
  call.image.pixels = nullptr;
  CHECK(wrong_call(call()) == Contains("image.pixels is a null pointer"));
  call.image.pixels = call.pixels.data();
  call.output.probability = nullptr;
  CHECK(call() == NBS_OK);
  call.output.mask = nullptr;
  CHECK(wrong_call(call()) == Contains("output.mask and output.probability are both null pointers"));
  nbs_free(nullptr);
}

TEST_CASE("sizes, strides and formats that cannot be meant are wrong calls") {
  Call call;
  REQUIRE(call() == NBS_OK);
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  for (const auto& [width, height] : {std::pair<std::int64_t, std::int64_t>{0, 5}, {4, 0}, {-4, 5}, {4, -5}, {0, 0}}) {
    call.image.width = width;
    call.image.height = height;
    CHECK(wrong_call(call()) == Contains("width and height are at least 1"));
  }
  for (const auto& [width, height] :
       {std::pair<std::int64_t, std::int64_t>{kMost, kMost}, {kMost, 1}, {1, kMost}, {16385, 16384}, {1 << 30, 4}}) {
    call.image.width = width;
    call.image.height = height;
    CHECK(wrong_call(call()) == Contains("at most 268435456 can be masked"));
  }
  call.image.width = 4;
  call.image.height = 5;
  for (const std::int64_t stride : {11, 1, -12, -1}) {
    call.image.stride = stride;
    CHECK(wrong_call(call()) == Contains("but a row has 12 bytes"));
  }
  for (const std::int64_t stride : {kMost, kMost / 4}) {
    call.image.stride = stride;
    CHECK(wrong_call(call()) == Contains("with which 5 rows would not lie in any memory"));
  }
  call.image.stride = 12;
  for (const int format : {0, 6, -1, 99}) {
    call.image.format = format;
    CHECK(wrong_call(call()) == Contains("which is no nbs_format; it is from 1 (NBS_GRAY8) to 5 (NBS_BGRA8)"));
  }
  call.image.format = NBS_RGB8;
  call.output.mask_stride = 3;
  CHECK(wrong_call(call()) ==
        "output.mask_stride is 3, but a row has 4 bytes; the stride is the bytes from one row to the next");
  call.output.mask_stride = 4;
  call.output.probability_stride = 15;
  CHECK(wrong_call(call()) == Contains("output.probability_stride is 15, but a row has 16 bytes"));
  call.output.probability_stride = 18;
  CHECK(wrong_call(call()) == Contains("with a stride of 18, but a float lies at a multiple of 4 bytes"));
  call.output.probability_stride = 0;
  CHECK(call() == NBS_OK);
}

TEST_CASE("numbers out of their range are wrong calls") {
  Call call;
  for (const double threshold : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    call.output.threshold = &threshold;
    CHECK(wrong_call(call()) == Contains("but a probability from 0 to 1 is wanted"));
  }
  nbs_masker* masker = nullptr;
  nbs_load_options options = {};
  for (const std::int64_t threads : {-1, 1025}) {
    options.threads = threads;
    CHECK(wrong_call(nbs_load(finished_run().c_str(), &options, &masker)) == Contains("it is from 1 to 1024"));
  }
}

TEST_CASE("the C++ class refuses by exception what the C interface refuses by status") {
  const Masker masker(finished_run());
  const auto sentence = [&](const nbs::ImageView& image) { return nbs::test::error_text([&] { masker.mask(image); }); };
  const std::uint8_t pixel[3] = {1, 2, 3};
  CHECK(sentence({pixel, 1, 1}) == "no error");
  CHECK(sentence({}) == Contains("image.pixels is a null pointer"));
  CHECK(sentence({pixel, -1, 1}) == Contains("width and height are at least 1"));
  CHECK(sentence({pixel, std::int64_t{1} << 40, std::int64_t{1} << 40}) == Contains("at most 268435456 can be masked"));
}

TEST_CASE("a failed call of one thread leaves the sentence of another alone") {
  CHECK(nbs_mask(nullptr, nullptr, nullptr) == NBS_WRONG_CALL);
  const std::string before = nbs_error();
  std::string of_other = "not asked";
  std::thread([&] {
    of_other = nbs_error();
    nbs_load(nullptr, nullptr, nullptr);
  }).join();
  CHECK(of_other == "");
  CHECK(std::string(nbs_error()) == before);
}

TEST_CASE("a copy of the process is told that it has no thread to mask with, and may free the object") {
  Call call;
  REQUIRE(call() == NBS_OK);
  const pid_t copy = fork();
  if (copy == 0) {
    alarm(20);  // a copy that waits for ever
    const bool told =
        call() == NBS_WRONG_CALL && std::string(nbs_error()).find("is a copy (fork)") != std::string::npos;
    nbs_free(call.masker);
    _exit(told ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(copy, &status, 0) == copy);
  CHECK(status == 0);
}
