// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nbs::training {

/// The seed of the generator of one component: a mix of the run's seed and the component's role ("sampler",
/// "autoencoder", …), so that exchanging one component does not change the random numbers of the others.
/// FNV-1a of the role, then the finaliser of SplitMix64 (Steele et al. 2014).
std::uint64_t component_seed(std::uint64_t run_seed, std::string_view role);

/// The role of a component of the whole model `member` of a run (train.members, from 0). The first has the roles that
/// those of a run with one model have.
std::string member_role(std::int64_t member, const std::string& role);

}  // namespace nbs::training
