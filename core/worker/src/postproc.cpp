// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/data/image.h"
#include "nbs/data/npy.h"
#include "nbs/error.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/torch.h"

#include "arguments.h"
#include "commands.h"
#include "images.h"
#include "session.h"

namespace nbs::worker {

namespace {

// A probability map of any size: .npy as it is, a grey picture scaled to [0, 1].
torch::Tensor read_map(const std::filesystem::path& file) {
  if (file.extension() == ".npy") {
    const auto array = data::read_npy(file);
    if (array.shape.size() != 2) {
      throw Error(fmt::format("{} has {} dimensions, but a probability map has 2 (height, width)", file.string(),
                              array.shape.size()));
    }
    return torch::tensor(array.values).to(torch::kFloat32).view({array.shape[0], array.shape[1]});
  }
  return as_tensor(data::read_image(file))[0];
}

}  // namespace

int postproc(const std::vector<std::string>& words) {
  const Arguments arguments(words);
  const std::filesystem::path image_file = arguments.need("image");
  const std::filesystem::path map_file = arguments.need("probability");
  const std::filesystem::path out = arguments.need("out");
  Session session(arguments.need_plain(0, "RESOLVED"), 0, say, config::Purpose::postprocess);
  const auto image = as_tensor(data::read_image(image_file)).unsqueeze(0);
  const auto map = read_map(map_file).unsqueeze(0);
  if (image.size(2) != map.size(1) || image.size(3) != map.size(2)) {
    throw Error(fmt::format("the map {} is {} x {} pixels, but the image {} is {} x {}; they must be the same size",
                            map_file.string(), map.size(2), map.size(1), image_file.string(), image.size(3),
                            image.size(2)));
  }
  const auto result = postprocess(session.make_postprocessors(), map, image)[0].contiguous();
  if (out.extension() == ".npy") {
    write_file(out, data::npy_bytes(values_of(result), {result.size(0), result.size(1)}));
  } else {
    write_file(out, evaluation::probability_png(values_of(result), result.size(0), result.size(1)));
  }
  return 0;
}

}  // namespace nbs::worker
