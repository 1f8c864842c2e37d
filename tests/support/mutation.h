// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "nbs/base/random.h"

namespace nbs::test {

/// `whole` with some bytes flipped, replaced, cut out, doubled or cut off, the same for the same seed.
inline std::string mutated(const std::string& whole, std::uint64_t seed) {
  Random random(seed);
  std::string bytes = whole;
  const auto place = [&] { return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bytes.size()))); };
  for (std::int64_t n = random.below(4); n >= 0 && !bytes.empty(); --n) {
    const std::size_t at = place();
    switch (random.below(8)) {
      case 0:
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.below(8));
        break;
      case 2:
        bytes[at] = static_cast<char>(random.below(256));
        break;
      case 3: {
        // A whole word of what lengths are wrong with.
        static constexpr std::uint32_t kWords[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x00010000};
        const std::uint32_t word = kWords[random.below(6)];
        for (std::size_t i = 0; i < 4 && at / 4 * 4 + i < bytes.size(); ++i)
          bytes[at / 4 * 4 + i] = static_cast<char>(word >> (8 * i) & 255U);
        break;
      }
      case 4:
        bytes.erase(at, 1 + static_cast<std::size_t>(random.below(16)));
        break;
      case 5:
        bytes.insert(at, bytes.substr(place(), 1 + static_cast<std::size_t>(random.below(16))));
        break;
      case 6:
        bytes[at] = static_cast<char>(bytes[at] + (random.below(2) == 0 ? 1 : -1));
        break;
      default:
        if (random.below(4) == 0) bytes.resize(at);
    }
  }
  return bytes;
}

/// How many mutations a test tries: so many times `usual` as the environment variable NBS_TEST_MUTATIONS says.
inline std::int64_t mutations(std::int64_t usual) {
  const char* const times = std::getenv("NBS_TEST_MUTATIONS");
  return usual * (times == nullptr ? 1 : std::atoll(times));
}

}  // namespace nbs::test
