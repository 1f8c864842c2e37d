// SPDX-License-Identifier: Apache-2.0
// mask_image RUN IMAGE.ppm MASK.pgm: masks an image with a finished run of nbs.
#include <exception>
#include <fstream>
#include <iostream>

#include <nbs/masker.h>

int main(int count, char** words) try {
  if (count != 4) throw nbs::Error("usage: mask_image RUN IMAGE.ppm MASK.pgm");
  const nbs::Masker masker(words[1]);  // once, then for any number of images

  // Stands for a camera: an image of 8 bit RGB in memory.
  std::ifstream file(words[2], std::ios::binary);
  std::string kind;
  std::int64_t width = 0, height = 0, most = 0;
  file >> kind >> width >> height >> most;
  if (!file || kind != "P6" || most != 255 || width < 1 || height < 1 || width > (1 << 28) / height)
    throw nbs::Error(std::string(words[2]) + " is no PPM file with 8 bit colors (P6)");
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * width * height));
  file.get();
  file.read(reinterpret_cast<char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
  if (!file) throw nbs::Error(std::string(words[2]) + " is cut short");

  const auto result = masker.mask({pixels.data(), width, height, nbs::PixelFormat::rgb});

  std::ofstream out(words[3], std::ios::binary);
  out << "P5\n" << width << ' ' << height << "\n255\n";
  out.write(reinterpret_cast<const char*>(result.mask.data()), static_cast<std::streamsize>(result.mask.size()));
  return out.flush() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
