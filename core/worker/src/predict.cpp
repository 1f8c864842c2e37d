// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <fmt/format.h>

#include "nbs/base/number.h"
#include "nbs/base/print.h"
#include "nbs/data/image.h"
#include "nbs/error.h"
#include "nbs/record/run_directory.h"
#include "nbs/torch.h"
#include "nbs/training/inference.h"

#include "arguments.h"
#include "commands.h"
#include "ended_run.h"
#include "error_sentence.h"
#include "images.h"
#include "prediction.h"
#include "process_setup.h"
#include "session.h"

namespace nbs::worker {

int predict(const std::vector<std::string>& words) {
  const Arguments arguments(words, {"out", "size", "threshold", "plugin-path", "allow-changed-plugins"});
  const record::RunDirectory run(arguments.need_plain(0, "RUN"));
  const std::filesystem::path out = arguments.need("out");
  const bool native = arguments.get("size", "native") == "native";
  const auto result = read_ended_run(run.folder());
  const auto files = data::image_files_among(
      std::vector<std::filesystem::path>(arguments.plain().begin() + 1, arguments.plain().end()));
  if (files.empty()) throw Error("no image was named, so nothing was masked; name images, or folders of images");
  const std::string wanted = arguments.get("threshold", "");
  const double threshold = wanted.empty() ? *result.threshold : parse_number(wanted, "--threshold", 0, 1);
  Session session(run.resolved(), 0, say, config::Purpose::predict, arguments.lines("plugin-path"));
  require_same_plugins(run.folder(), session.pipeline(), arguments.get("allow-changed-plugins", "no") == "yes");
  set_up_process(session.threads());
  const auto& pipeline = session.pipeline();
  const std::int64_t size = pipeline.data.options.image_size;
  auto model = training::read_model(run.model(), *result.model);
  const auto folds = static_cast<std::int64_t>(model.folds.size());
  training::Inference inference(session.make_components(folds), pipeline.profile.options,
                                pipeline.evaluation.options.dihedral, size, std::move(model));
  std::vector<OptionValues> tuned;
  if (result.tuned_postproc) tuned = tuned_values(*result.tuned_postproc, pipeline.postproc);
  const auto chain = session.make_postprocessors(tuned);
  std::error_code failed;
  std::filesystem::create_directories(out, failed);
  bool all = true;
  for (const auto& file : files) {
    try {
      const cv::Mat stored = data::read_stored_image(file);
      const cv::Mat image = data::from_levels(data::to_levels(data::resize_stored(stored, size)));  // as in training
      const auto tensor = as_tensor(image);
      const cv::Mat map = as_mat(postprocess(chain, inference.probability(tensor), tensor));
      const Rows colors = native ? Rows([&](int begin, int end) { return data::rgb_of(stored.rowRange(begin, end)); })
                                 : Rows([&](int begin, int end) { return image.rowRange(begin, end); });
      const cv::Size shown = native ? stored.size() : map.size();
      write_prediction(out, file.stem().string(), shown, resized_rows(map, shown), colors, threshold);
    } catch (const std::exception& error) {
      // One bad file must not cost the masks of the others.
      say(error_sentence(error));
      all = false;
    }
  }
  return all ? 0 : 1;
}

}  // namespace nbs::worker
