// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace nbs {

/// The kinds of plugin. The values are part of the ABI: append only.
enum class Kind : int { sampler = 0, autoencoder = 1, predictor = 2, postprocessor = 3 };

/// All of them, in the order in which they are listed.
inline constexpr std::array<Kind, 4> kKinds = {Kind::sampler, Kind::autoencoder, Kind::predictor, Kind::postprocessor};

/// "sampler", "autoencoder", "predictor", "postprocessor".
inline const char* kind_name(Kind kind) {
  static constexpr const char* kNames[] = {"sampler", "autoencoder", "predictor", "postprocessor"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace nbs
