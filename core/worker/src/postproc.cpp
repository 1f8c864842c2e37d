// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/data/image.h"
#include "nbs/data/map.h"
#include "nbs/data/npy.h"
#include "nbs/error.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/tensor.h"

#include "arguments.h"
#include "chained_rows.h"
#include "commands.h"
#include "images.h"
#include "process_setup.h"
#include "session.h"

namespace nbs::worker {

int postproc(const std::vector<std::string>& words) {
  const Arguments arguments(words);
  const std::filesystem::path image_file = arguments.need("image");
  const std::filesystem::path map_file = arguments.need("probability");
  const std::filesystem::path out = arguments.need("out");
  Session session(arguments.need_plain(0, "RESOLVED"), 0, say, config::Purpose::postprocess);
  set_up_process(session);
  const auto image = as_tensor(data::read_image(image_file));
  const cv::Mat probabilities = data::read_probability_map(map_file);
  const auto map = torch::from_blob(probabilities.data, {probabilities.rows, probabilities.cols}).clone();
  if (image.size(1) != map.size(0) || image.size(2) != map.size(1)) {
    throw Error(fmt::format("the map {} is {} x {} pixels, but the image {} is {} x {}; they must be the same size",
                            map_file.string(), map.size(1), map.size(0), image_file.string(), image.size(2),
                            image.size(1)));
  }
  const auto result = postprocess(session.make_postprocessors(), map, image).contiguous();
  if (out.extension() == ".npy") {
    write_file(out, data::npy_bytes(values_of(result), {result.size(0), result.size(1)}));
  } else {
    write_file(out, evaluation::probability_png(values_of(result), result.size(0), result.size(1)));
  }
  return 0;
}

}  // namespace nbs::worker
