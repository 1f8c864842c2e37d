// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/data/image.h"
#include "nbs/error.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/torch.h"
#include "nbs/training/inference.h"

#include "arguments.h"
#include "commands.h"
#include "error_sentence.h"
#include "images.h"
#include "session.h"
#include "tuning.h"

namespace nbs::worker {

namespace {

void write_prediction(const std::filesystem::path& folder, const std::string& stem, const cv::Mat& probability,
                      const cv::Mat& image, double threshold) {
  std::vector<float> values(probability.begin<float>(), probability.end<float>());
  std::vector<std::uint8_t> mask;
  mask.reserve(values.size());
  for (const float value : values)
    mask.push_back(value >= threshold ? 1 : 0);
  const auto planes = as_tensor(image);
  write_file(folder / (stem + ".mask.png"), evaluation::mask_png(mask, probability.rows, probability.cols));
  write_file(folder / (stem + ".probability.png"),
             evaluation::probability_png(values, probability.rows, probability.cols));
  write_file(folder / (stem + ".overlay.png"),
             evaluation::overlay_png(planes.data_ptr<float>(), mask, {}, probability.rows, probability.cols));
}

// What the run says of itself, for its threshold.
nlohmann::ordered_json read_result(const std::filesystem::path& run_folder) {
  const auto file = run_folder / "result.json";
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(
        fmt::format("{} holds no result.json, so it is no folder of a run that has ended; name one that nbs run "
                    "has printed",
                    run_folder.string()));
  }
  auto result = nlohmann::ordered_json::parse(read_file(file));
  if (!result.contains("threshold")) {
    throw Error(fmt::format("the run {} ended before any profile was full, so it has no model; run it longer",
                            run_folder.string()));
  }
  return result;
}

}  // namespace

int predict(const std::vector<std::string>& words) {
  const Arguments arguments(words);
  const std::filesystem::path run_folder = arguments.need_plain(0, "RUN");
  const std::filesystem::path out = arguments.need("out");
  const bool native = arguments.get("size", "native") == "native";
  const auto result = read_result(run_folder);
  const auto files = data::image_files_among(
      std::vector<std::filesystem::path>(arguments.plain().begin() + 1, arguments.plain().end()));
  const std::string wanted = arguments.get("threshold", "");
  const double threshold = wanted.empty() ? result.at("threshold").get<double>() : std::stod(wanted);
  Session session(run_folder / "resolved.toml", 0, say);
  const auto& pipeline = session.pipeline();
  const std::int64_t size = pipeline.data.options.image_size;
  auto moment = training::read_moment(run_folder / "model");
  training::Inference inference(session.make_components(), pipeline.profile.options,
                                pipeline.evaluation.options.dihedral, size, std::move(moment));
  std::vector<OptionValues> tuned;
  if (result.contains("tuned_postproc")) tuned = values_from_json(result.at("tuned_postproc"), pipeline.postproc);
  const auto chain = session.make_postprocessors(tuned);
  std::error_code failed;
  std::filesystem::create_directories(out, failed);
  bool all = true;
  for (const auto& file : files) {
    try {
      const cv::Mat original = data::read_image(file);
      const cv::Mat image = data::resize_image(original, size);
      const auto tensor = as_tensor(image).unsqueeze(0);
      const auto probability = postprocess(chain, inference.probability(tensor[0]).unsqueeze(0), tensor)[0];
      cv::Mat map = as_mat(probability);
      if (native && original.size() != map.size()) cv::resize(map, map, original.size(), 0, 0, cv::INTER_LINEAR);
      write_prediction(out, file.stem().string(), map, native ? original : image, threshold);
    } catch (const std::exception& error) {
      // One bad file must not cost the masks of the others.
      say(error_sentence(error));
      all = false;
    }
  }
  return all ? 0 : 1;
}

}  // namespace nbs::worker
