// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nbs::data {

/// An array of a .npy file (NumPy format 1.0), C order.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// Reads little-endian float32, float64 or uint8 arrays in C order. Throws nbs::Error for anything else, a shape that
/// is no tuple of extents from 0, and a file that holds fewer or more values than its shape says.
NpyArray read_npy(const std::filesystem::path& file);

/// The bytes of a .npy file of float32 values.
std::string npy_bytes(const std::vector<float>& values, const std::vector<std::int64_t>& shape);

}  // namespace nbs::data
