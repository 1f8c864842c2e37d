// SPDX-License-Identifier: Apache-2.0
#include "heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <zlib.h>

namespace nbs::report {

namespace {

using Color = std::array<std::uint8_t, 3>;

// Viridis (S. van der Walt and N. Smith, matplotlib), which rises evenly in lightness, also for the color-blind and in
// print: every 32nd of its 256 colors.
constexpr std::array<Color, 9> kViridis = {{{68, 1, 84},
                                            {71, 44, 122},
                                            {59, 81, 139},
                                            {44, 113, 142},
                                            {33, 144, 141},
                                            {39, 173, 129},
                                            {92, 200, 99},
                                            {170, 220, 50},
                                            {253, 231, 37}}};

Color color_at(double share) {
  const double place = std::clamp(share, 0.0, 1.0) * (kViridis.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(place), kViridis.size() - 2);
  Color color{};
  for (std::size_t c = 0; c < color.size(); ++c) {
    const double between =
        kViridis[low][c] + (place - static_cast<double>(low)) * (kViridis[low + 1][c] - kViridis[low][c]);
    color[c] = static_cast<std::uint8_t>(std::lround(between));
  }
  return color;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

std::string png_chunk(const std::string& type, const std::string& data) {
  const auto body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
}

// Eight bits a pixel that name one of 256 colors.
std::string png(const std::string& rows, std::int64_t side) {
  std::string palette;
  for (int i = 0; i < 256; ++i) {
    for (const auto channel : color_at(i / 255.0))
      palette += static_cast<char>(channel);
  }
  auto length = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(length, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(rows.data()),
           static_cast<uLong>(rows.size()));
  packed.resize(length);
  const auto size = big_endian(static_cast<std::uint32_t>(side));
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", size + size + std::string("\x08\x03\x00\x00\x00", 5)) +
         png_chunk("PLTE", palette) + png_chunk("IDAT", packed) + png_chunk("IEND", {});
}

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = i; k < i + 3; ++k)
      group = group << 8U | (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63U];
  }
  return text;
}

}  // namespace

std::string heat_map(const std::vector<double>& values, std::int64_t side, double most) {
  std::string rows;
  for (std::int64_t y = 0; y < side; ++y) {
    rows += '\0';  // this row is as it is
    for (std::int64_t x = 0; x < side; ++x) {
      const double value = values[static_cast<std::size_t>(y * side + x)];
      rows += static_cast<char>(std::lround(255 * std::clamp(value / most, 0.0, 1.0)));
    }
  }
  return "data:image/png;base64," + base64(png(rows, side));
}

std::string heat_gradient() {
  std::string colors;
  for (const auto& [red, green, blue] : kViridis)
    colors += fmt::format(", rgb({}, {}, {})", red, green, blue);
  return "linear-gradient(to right" + colors + ")";
}

}  // namespace nbs::report
