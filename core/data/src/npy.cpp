// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"

namespace nbs::data {

namespace {

// The text after `key` in the header's dictionary, up to its end.
std::string after(const std::string& header, const std::string& key, const std::filesystem::path& file) {
  const auto at = header.find(key);
  if (at == std::string::npos) throw Error(fmt::format("the .npy file {} has no {} in its header", file.string(), key));
  return header.substr(at + key.size());
}

template <typename Element>
void append(const char* bytes, std::int64_t count, std::vector<double>& to) {
  for (std::int64_t i = 0; i < count; ++i) {
    Element value;
    std::memcpy(&value, bytes + i * static_cast<std::int64_t>(sizeof value), sizeof value);
    to.push_back(static_cast<double>(value));
  }
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, ".npy file");
  if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0 || bytes[6] != 1)
    throw Error(fmt::format("the file {} is not a .npy file of format 1.0", file.string()));
  const std::size_t length = static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  if (bytes.size() < 10 + length) throw Error(fmt::format("the .npy file {} is cut short", file.string()));
  const std::string header = bytes.substr(10, length);
  if (after(header, "'fortran_order':", file).find("False") > 2)
    throw Error(fmt::format("the .npy file {} is in Fortran order; save it in C order", file.string()));
  constexpr std::int64_t kLimit = std::numeric_limits<std::int32_t>::max();
  NpyArray array;
  std::int64_t count = 1;
  std::string shape = after(header, "'shape':", file);
  shape = shape.substr(0, shape.find(')'));
  for (std::size_t i = 0; i < shape.size();) {
    if (shape[i] < '0' || shape[i] > '9') {
      ++i;
      continue;
    }
    std::int64_t extent = 0;
    // Held at the limit, so that an absurd number of digits cannot overflow.
    for (; i < shape.size() && shape[i] >= '0' && shape[i] <= '9'; ++i)
      extent = std::min(extent * 10 + (shape[i] - '0'), kLimit);
    if (extent == kLimit || (extent > 0 && count > kLimit / extent))
      throw Error(fmt::format("the .npy file {} says it holds more values than can be read", file.string()));
    count *= extent;
    array.shape.push_back(extent);
  }
  const std::string type = after(header, "'descr':", file);
  const auto is = [&](const char* name) { return type.find(name) < 4; };
  const std::size_t width = is("<f4") ? 4 : is("<f8") ? 8 : is("|u1") ? 1 : 0;
  if (width == 0)
    throw Error(fmt::format("the .npy file {} holds another type than float32, float64 or uint8", file.string()));
  const char* const values = bytes.data() + 10 + length;
  if (bytes.size() - 10 - length < static_cast<std::size_t>(count) * width)
    throw Error(fmt::format("the .npy file {} is cut short: {} values are missing some bytes", file.string(), count));
  array.values.reserve(static_cast<std::size_t>(count));
  if (width == 4) append<float>(values, count, array.values);
  if (width == 8) append<double>(values, count, array.values);
  if (width == 1) append<std::uint8_t>(values, count, array.values);
  return array;
}

std::string npy_bytes(const std::vector<float>& values, const std::vector<std::int64_t>& shape) {
  std::string extents;
  for (const auto extent : shape)
    extents += fmt::format("{},", extent);
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", extents);
  header += std::string(63 - (10 + header.size()) % 64, ' ') + '\n';
  std::string bytes = "\x93NUMPY";
  bytes += '\x01';
  bytes += '\x00';
  bytes += static_cast<char>(header.size() & 255U);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return bytes;
}

}  // namespace nbs::data
