// SPDX-License-Identifier: Apache-2.0
#include "checksum.h"

// As in mat5.cpp, which may be compiled together with this file.
#ifndef ZLIB_CONST
#define ZLIB_CONST
#endif
#include <zlib.h>

namespace nbs::data {

std::uint32_t crc32_of(const std::uint8_t* bytes, std::size_t count) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes, count));
}

}  // namespace nbs::data
