// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "nbs/autoencoder.h"
#include "nbs/postprocessor.h"
#include "nbs/predictor.h"
#include "nbs/sampler.h"

namespace nbs::host {

/// How errors name a component: its plugin and the place in the pipeline file.
struct Origin {
  std::string plugin;    ///< "sampler \"rl\""
  std::string location;  ///< "file.toml:12:1", or empty
};

// The same component behind a guard: exceptions of the plugin become one nbs::Error that names plugin, method and
// place, and results that break the interface's promises are refused with both values.
std::shared_ptr<Sampler> checked(std::shared_ptr<Sampler> sampler, Origin origin);
std::shared_ptr<Autoencoder> checked(std::shared_ptr<Autoencoder> autoencoder, Origin origin);
std::shared_ptr<Predictor> checked(std::shared_ptr<Predictor> predictor, Origin origin);
std::shared_ptr<Postprocessor> checked(std::shared_ptr<Postprocessor> postprocessor, Origin origin);

}  // namespace nbs::host
