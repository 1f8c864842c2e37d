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

constexpr std::int64_t kMostValues = std::numeric_limits<std::int32_t>::max();

// The extents of a tuple such as "(3, 4)", "(3,)" or "()". Python 2 wrote "(3L, 4L)".
std::vector<std::int64_t> extents(const std::string& text, const std::filesystem::path& file) {
  const auto refuse = [&](const char* why) {
    const std::string shown = text.substr(0, std::min<std::size_t>(text.find_first_of(")\n") + 1, 60));
    throw Error(
        fmt::format("the .npy file {} states the shape{}, which {}; write it again", file.string(), shown, why));
  };
  std::vector<std::int64_t> all;
  std::size_t at = 0;
  const auto skip_blanks = [&] { at = std::min(text.find_first_not_of(' ', at), text.size()); };
  const auto next_is = [&](char c) { return at < text.size() && text[at] == c; };
  skip_blanks();
  if (!next_is('(')) refuse("is no tuple");
  ++at;
  for (skip_blanks(); !next_is(')'); skip_blanks()) {
    if (next_is('-')) refuse("has a negative extent");
    if (at >= text.size() || text[at] < '0' || text[at] > '9') refuse("is no tuple of whole numbers");
    std::int64_t extent = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      extent = extent * 10 + (text[at] - '0');
      if (extent > kMostValues)
        throw Error(fmt::format("the .npy file {} says it holds more values than can be read", file.string()));
    }
    all.push_back(extent);
    if (next_is('L')) ++at;
    skip_blanks();
    if (next_is(',')) {
      ++at;
    } else if (!next_is(')')) {
      refuse("is no tuple of whole numbers");
    }
  }
  return all;
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
  NpyArray array;
  array.shape = extents(after(header, "'shape':", file), file);
  std::int64_t count = 1;
  for (const auto extent : array.shape) {
    if (extent > 0 && count > kMostValues / extent)
      throw Error(fmt::format("the .npy file {} says it holds more values than can be read", file.string()));
    count *= extent;
  }
  const std::string type = after(header, "'descr':", file);
  const auto is = [&](const char* name) { return type.find(name) < 4; };
  const std::size_t width = is("<f4") ? 4 : is("<f8") ? 8 : is("|u1") ? 1 : 0;
  if (width == 0)
    throw Error(fmt::format("the .npy file {} holds another type than float32, float64 or uint8", file.string()));
  const char* const values = bytes.data() + 10 + length;
  if (bytes.size() - 10 - length < static_cast<std::size_t>(count) * width)
    throw Error(fmt::format("the .npy file {} is cut short: {} values are missing some bytes", file.string(), count));
  if (bytes.size() - 10 - length > static_cast<std::size_t>(count) * width) {
    throw Error(fmt::format("the .npy file {} has {} bytes more than its shape says; write it again", file.string(),
                            bytes.size() - 10 - length - static_cast<std::size_t>(count) * width));
  }
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
