// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace nbs::data {

/// The CRC-32 of some bytes, as in PNG and ZIP files.
std::uint32_t crc32_of(const std::uint8_t* bytes, std::size_t count);

}  // namespace nbs::data
