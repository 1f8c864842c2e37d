// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace nbs::training {

/// The seed of the generator of one component: a mix of the run's seed and the component's role ("sampler",
/// "autoencoder", …), so that exchanging one component does not change the random numbers of the others.
/// FNV-1a of the role, then the finaliser of SplitMix64 (Steele et al. 2014).
std::uint64_t component_seed(std::uint64_t run_seed, std::string_view role);

}  // namespace nbs::training
