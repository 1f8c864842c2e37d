// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"
#include "nbs/host/catalog.h"
#include "nbs/host/search_path.h"

#include "program.h"
#include "tiny_pipeline.h"

// Runs of the real program with the real plugins, small enough for seconds.

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

using nbs::test::Program;

// Long enough for a predictor of full profiles and an autoencoder that is re-initialized once.
std::string pipeline(const std::string& data, int seed, const std::string& sampler = "rl") {
  nbs::test::TinyOptions tiny;
  tiny.top += "\nseed = " + std::to_string(seed);
  tiny.data = data;
  tiny.profile = "length = 3";
  tiny.sampler = "plugin = \"" + sampler + "\"";
  if (sampler == "rl") tiny.sampler += "\nwindow = 16\nstep = 4\nchannels = [8, 8]\nhidden = 16";
  tiny.train = "iterations = 14\npatches = 16\nreinit_every = 8";
  return nbs::test::tiny_pipeline(tiny) + "[reward]\nanneal = 6\n";
}

// The same pipeline with every default written out, as nbs writes it into a run folder; the plugins are those that the
// worker describes.
std::string resolved(const fs::path& file) {
  const Program worker;
  const auto plugins = nbs::host::plugin_search_path({}, {});
  std::vector<std::string> words = {"describe"};
  for (const auto& folder : plugins)
    words.push_back(folder.string());
  const auto described = worker(words);
  REQUIRE(described.status == 0);
  const auto catalog = nbs::host::catalog_from_json(nlohmann::ordered_json::parse(described.output));
  return nbs::config::to_toml(nbs::config::resolve(nbs::config::Document::from_file(file), catalog));
}

// What a run leaves, by name below its folder; result.json without what clocks and the system say.
std::map<std::string, std::string> results_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto name = fs::relative(entry.path(), folder).string();
    if (name == "provenance.json" || name == "resolved.toml") continue;
    files[name] = nbs::read_file(entry.path());
  }
  auto result = Json::parse(files.at("result.json"));
  result.erase("seconds");
  result.erase("peak_memory_mib");
  result.erase("checksum");  // of all of it
  files["result.json"] = result.dump();
  return files;
}

// A folder of generated images on disk, and runs on it.
struct Workplace {
  Program worker;
  const nbs::test::Scratch& scratch = worker.folder();

  Workplace() {
    scratch.write("make.toml", pipeline("count = 6", 0));
    REQUIRE(worker({"data", "make.toml", "--export", "set"}).status == 0);
  }
  std::string on_disk(int seed, const std::string& sampler = "rl") const {
    return pipeline("format = \"folder\"\nroot = \"" + (scratch / "set").string() + "\"", seed, sampler);
  }
  // Runs a pipeline's text; the run's folder is `name`. `before`: shell text, for variables.
  fs::path run(const std::string& name, const std::string& text, const std::string& before = "") const {
    const auto file = scratch.write(name + "/resolved.toml", text);
    const auto ended = worker({"run", file.string(), "--out", (scratch / name).string(), "--progress", "none"}, before);
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    return scratch / name;
  }
};

}  // namespace

TEST_CASE("the same pipeline twice, and its resolved file, give identical results; another seed does not") {
  const Workplace place;
  const auto text = place.on_disk(3);
  const auto first = place.run("first", text);
  const auto expected = results_of(first);
  CHECK(expected.count("result.json") == 1);
  CHECK(expected.count("metrics.jsonl") == 1);
  CHECK(expected.count("model/predictor.safetensors") == 1);
  CHECK(expected.count("model/autoencoders.safetensors") == 1);
  CHECK(expected.count("model/sampler.safetensors") == 1);
  const auto compare = [&](const fs::path& run) {
    const auto found = results_of(run);
    CHECK(found.size() == expected.size());
    for (const auto& [name, bytes] : expected) {
      CAPTURE(name);
      REQUIRE(found.count(name) == 1);
      CHECK(found.at(name) == bytes);
    }
  };
  compare(place.run("second", text));
  const auto written_out = resolved(first / "resolved.toml");
  CHECK(written_out.size() > text.size());
  compare(place.run("resolved", written_out));
  // Resolving once more changes nothing.
  CHECK(resolved(place.scratch / "resolved" / "resolved.toml") == written_out);

  // Nor does it matter where the images are kept, and whether they are read from their files or from the cache.
  const auto cache = place.scratch / "cache";
  auto in_file = text;
  in_file.insert(in_file.find("format = "), "memory = 0\n");
  for (const char* name : {"in_file", "from_cache"}) {
    compare(place.run(name, in_file, "XDG_CACHE_HOME='" + cache.string() + "'"));
    CHECK(nbs::test::entries_of(cache / "nbs/images").size() == 1);
  }

  const auto other = results_of(place.run("other", place.on_disk(4)));
  CHECK(other.at("metrics.jsonl") != expected.at("metrics.jsonl"));
  CHECK(other.at("split.json") == expected.at("split.json"));  // the split has a seed of its own
}

TEST_CASE("metrics have a line for each iteration, and the result says what was scored") {
  const Workplace place;
  for (const char* sampler : {"random", "heuristic"}) {
    CAPTURE(sampler);
    const auto files = results_of(place.run(sampler, place.on_disk(1, sampler)));
    const auto& lines = files.at("metrics.jsonl");
    std::int64_t iteration = 0;
    std::size_t at = 0;
    for (std::size_t end = 0; (end = lines.find('\n', at)) != std::string::npos; at = end + 1, ++iteration) {
      const auto line = Json::parse(lines.substr(at, end - at));
      CHECK(line.at("iteration") == iteration);
      CHECK(line.contains("ae_loss"));
      CHECK(line.contains("l_pred") == (iteration >= 2));
      if (std::string(sampler) == "heuristic") CHECK(line.at("r_clone") == 1.0);
    }
    CHECK(iteration == 14);
    const auto result = Json::parse(files.at("result.json"));
    CHECK(result.at("format") == 2);
    CHECK(result.at("stop_reason") == "finished");
    CHECK(result.at("iterations") == 14);
    CHECK(result.at("scores").is_object());
    CHECK(result.at("best").at("iteration") >= 2);
  }
}

TEST_CASE("loss profiles are drawn from all scored images, but from no more than 24 of them") {
  const Workplace place;
  for (const auto& [count, looked_at] : {std::pair{9, 7}, std::pair{26, 24}, std::pair{33, 24}}) {
    CAPTURE(count);
    const auto name = std::to_string(count) + "-images";
    const auto run = place.run(name, pipeline("count = " + std::to_string(count), 1, "random"));
    const auto diagnostics = Json::parse(nbs::read_file(run / "diagnostics.json"));
    const auto pixels = [&](const char* profile) {
      std::int64_t sum = 0;
      for (const char* kind : {"normal", "anomalous"})
        sum += diagnostics.at(profile).at(kind).at("pixels").get<std::int64_t>();
      return sum;
    };
    CHECK(pixels("labeled_profile") == 2 * 32 * 32);
    CHECK(pixels("scored_profile") == looked_at * 32 * 32);
  }
}

TEST_CASE("bfloat16 changes what is learned, twice alike; without a processor for it it is refused with a sentence") {
  const Workplace place;
  auto text = place.on_disk(3, "random");
  const auto plain = results_of(place.run("float32", text));
  text.insert(text.find("clone_patches"), "precision = \"bf16\"\n");
#if defined(__x86_64__)
  const bool multiplies_bf16 = __builtin_cpu_supports("avx512bf16") != 0;
#else
  const bool multiplies_bf16 = false;
#endif
  if (!multiplies_bf16) {
    const auto file = place.scratch.write("refused/resolved.toml", text);
    const auto ended = place.worker({"run", file.string(), "--out", (place.scratch / "refused").string()});
    CHECK(ended.status != 0);
    CHECK(ended.errors.find("multiplies no bfloat16 numbers") != std::string::npos);
    return;
  }
  const auto first = results_of(place.run("first", text));
  CHECK(first.at("metrics.jsonl") != plain.at("metrics.jsonl"));
  CHECK(first == results_of(place.run("second", text)));
}

TEST_CASE("scores before postprocessing are those of the same run without postprocessors") {
  const Workplace place;
  const auto scores = [&](const std::string& name, const std::string& chain) {
    return Json::parse(results_of(place.run(name, place.on_disk(3) + chain)).at("result.json")).at("scores");
  };
  const auto plain = scores("plain", "");
  CHECK_FALSE(plain.contains("before_postproc"));
  // No component is as large as the image, so none is left.
  const auto emptied = scores("emptied", "[[postproc]]\nplugin = \"morphology\"\nmin_area = 1024\n");
  CHECK(emptied.at("auroc") != plain.at("auroc"));
  const auto& before = emptied.at("before_postproc");
  for (const char* key : {"threshold", "f1", "precision", "recall", "auroc", "oracle"}) {
    CAPTURE(key);
    CHECK(before.at(key) == plain.at(key));
  }
}

TEST_CASE("tuning tries every combination, keeps the best on the labeled images, and scores as if it had been typed") {
  const Workplace place;
  const std::string chain = "[[postproc]]\nplugin = \"dense_crf\"\n";
  const auto folder = place.run("tuned", place.on_disk(3) + chain + "[evaluation]\ntune_postproc = true\n");
  const auto result = Json::parse(nbs::read_file(folder / "result.json"));
  REQUIRE(result.at("tuned_postproc").size() == 1);
  const auto& values = result.at("tuned_postproc")[0];

  // What was tried, as `nbs tune` of the same run says it: options with their values, and F1.
  const auto said = place.worker({"tune", folder.string()});
  REQUIRE(said.status == 0);
  std::map<std::string, double> tried;
  std::istringstream log(said.errors);
  std::size_t lines = 0;
  for (std::string line; std::getline(log, line);) {
    const std::string before = "F1 on labeled images ";
    const auto number = line.find(before);
    const auto options = line.find(" with ");
    if (line.rfind("tuning dense_crf", 0) != 0 || number == std::string::npos || options == std::string::npos) continue;
    ++lines;
    tried[line.substr(options + 6)] = std::stod(line.substr(number + before.size()));
  }
  CHECK(tried.size() > 8);
  CHECK(lines - tried.size() <= 1);  // the own options may be one of the combinations
  std::string kept;
  double best = 0;
  for (const auto& [options, f1] : tried) {
    best = std::max(best, f1);
    // A value for a list goes to all its elements.
    CAPTURE(options);
    const auto list = options.find("scolor = [");
    REQUIRE(list != std::string::npos);
    const auto elements = Json::parse(options.substr(list + 9, options.find(']', list) - list - 8));
    CHECK(elements == Json::array({elements[0], elements[0], elements[0]}));
    bool all = true;
    for (const char* name : {"smooth_weight", "weight"})
      all = all && (", " + options + ",").find(", " + std::string(name) + " = " + values.at(name).dump() + ",") !=
                       std::string::npos;
    const auto color = values.at("scolor")[0].dump();
    all = all && options.find("scolor = [" + color + ", " + color + ", " + color + "]") != std::string::npos;
    if (all) kept = options;
  }
  REQUIRE(tried.count(kept) == 1);
  CHECK(tried.at(kept) == best);

  std::string typed = chain;
  for (const auto& [name, value] : values.items())
    typed += name + " = " + value.dump() + "\n";
  const auto again = Json::parse(results_of(place.run("typed", place.on_disk(3) + typed)).at("result.json"));
  CHECK(again.at("scores") == result.at("scores"));
}

TEST_CASE("predict on the run's own unlabeled images gives exactly the run's predictions") {
  const Workplace place;
  auto text = place.on_disk(3);
  const std::string section = "[profile]\n";
  text.insert(text.find(section) + section.size(), "reference_images = 3\ncycles = 2\n");
  const auto run = place.run("run", text + "[evaluation]\ndihedral = true\n");
  const auto split = Json::parse(nbs::read_file(run / "split.json"));
  std::vector<std::string> words = {"predict", "--out",     (place.scratch / "again").string(), "--size", "model",
                                    "--",      run.string()};
  std::vector<std::string> ids;
  for (const auto& image : split.at("images")) {
    if (image.at("role") != "unlabeled") continue;
    ids.push_back(image.at("id"));
    words.push_back((place.scratch / "set" / "images" / image.at("file").get<std::string>()).string());
  }
  REQUIRE(ids.size() == 4);
  REQUIRE(place.worker(words).status == 0);
  for (const auto& id : ids) {
    for (const char* kind : {".probability.png", ".mask.png"}) {
      CAPTURE(id);
      CAPTURE(kind);
      const auto made = nbs::read_file(run / "predictions" / (id + kind));
      CHECK(nbs::read_file(place.scratch / "again" / (id + kind)) == made);
    }
  }
  // One picture that cannot be read costs only itself.
  words.push_back((place.scratch / "nowhere.png").string());
  CHECK(place.worker(words).status == 1);
}

namespace {

// The generated images in other sizes: cut to `size`, with their masks.
void cut_images(const fs::path& set, cv::Size size) {
  for (const char* folder : {"images", "masks"}) {
    for (const auto& entry : fs::directory_iterator(set / folder)) {
      const auto picture = cv::imread(entry.path().string(), cv::IMREAD_UNCHANGED);
      REQUIRE(picture.cols >= size.width);
      cv::imwrite(entry.path().string(), picture(cv::Rect(cv::Point(), size)));
    }
  }
}

cv::Size size_of_picture(const fs::path& file) {
  return cv::imread(file.string(), cv::IMREAD_UNCHANGED).size();
}

}  // namespace

TEST_CASE("images seen in views are trained, scored, shown and masked as whole images") {
  const Program worker;
  const auto& scratch = worker.folder();
  nbs::test::TinyOptions tiny;
  tiny.data = "count = 5\nsurface = \"metal\"";
  auto make = nbs::test::tiny_pipeline(tiny);
  make.replace(make.find("image_size = 32"), 15, "image_size = 96");
  scratch.write("make.toml", make);
  REQUIRE(worker({"data", "make.toml", "--export", "set"}).status == 0);
  cut_images(scratch / "set", {80, 50});
  for (const auto& [resize, size] : {std::pair<std::string, cv::Size>("tiles", {80, 50}), {"keep", {32, 20}}}) {
    CAPTURE(resize);
    nbs::test::TinyOptions options;
    options.data = "resize = \"" + resize + "\"\nformat = \"folder\"\nroot = \"" + (scratch / "set").string() + "\"";
    const auto text = nbs::test::tiny_pipeline(options) + "[[postproc]]\nplugin = \"morphology\"\nmin_area = 3\n";
    const auto file = scratch.write(resize + "/resolved.toml", text);
    const auto ended = worker({"run", file.string(), "--out", (scratch / resize).string(), "--progress", "none"});
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    const auto result = Json::parse(nbs::read_file(scratch / resize / "result.json"));
    const auto& images = result.at("scores").at("by_image");
    REQUIRE(images.size() == 3);
    CHECK(result.at("expected").at("by_image").size() == 2);
    CHECK(Json::parse(nbs::read_file(scratch / resize / "split.json")).at("labeled") == 2);
    for (const auto& image : images) {
      const auto id = image.at("id").get<std::string>();
      CAPTURE(id);
      const auto shown = scratch / resize / "predictions" / id;
      for (const char* kind : {"image", "truth", "mask", "probability", "overlay"})
        CHECK(size_of_picture(shown.string() + "." + kind + ".png") == size);
      // nbs predict makes the same of the image's file as the run made of it.
      const auto source = scratch / "set/images" / (id + ".png");
      REQUIRE(worker({"predict", (scratch / resize).string(), source.string(), "--out", (scratch / "out").string(),
                      "--size", "model"})
                  .status == 0);
      for (const char* kind : {"mask", "probability"}) {
        const auto name = std::string(".") + kind + ".png";
        CHECK(nbs::read_file((scratch / "out" / id).string() + name) == nbs::read_file(shown.string() + name));
      }
    }
  }
  // In tiles the pictures are those of the files themselves.
  const auto id = Json::parse(nbs::read_file(scratch / "tiles/result.json")).at("scores").at("by_image")[0].at("id");
  const auto name = id.get<std::string>();
  const auto shown = cv::imread((scratch / "tiles/predictions" / (name + ".image.png")).string());
  const auto file = cv::imread((scratch / "set/images" / (name + ".png")).string());
  CHECK(cv::norm(shown, file, cv::NORM_INF) == 0);
}
