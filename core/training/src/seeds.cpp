// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/seeds.h"

#include <fmt/format.h>

namespace nbs::training {

std::uint64_t component_seed(std::uint64_t run_seed, std::string_view role) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : role) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  std::uint64_t z = hash + 0x9e3779b97f4a7c15ULL * (run_seed + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string member_role(std::int64_t member, const std::string& role) {
  return member == 0 ? role : fmt::format("member{}.{}", member, role);
}

}  // namespace nbs::training
