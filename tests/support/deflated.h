// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <zlib.h>

namespace nbs::test {

/// `bytes` as a zlib stream.
inline std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
           static_cast<uLong>(bytes.size()));
  packed.resize(size);
  return packed;
}

}  // namespace nbs::test
