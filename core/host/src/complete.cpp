// SPDX-License-Identifier: Apache-2.0
#include "complete.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <link.h>

namespace nbs::host {

std::optional<std::string> refuse_irregular(const std::filesystem::path& file) {
  std::error_code failed;
  const auto status = std::filesystem::status(file, failed);
  if (std::filesystem::is_regular_file(status)) return std::nullopt;
  if (!std::filesystem::exists(status)) return "it does not exist, or is a link to nothing";
  const char* const kind = std::filesystem::is_directory(status) ? "a folder"
                           : std::filesystem::is_fifo(status)    ? "a pipe"
                           : std::filesystem::is_socket(status)  ? "a socket"
                                                                 : "a device";
  return fmt::format("it is {}, not a file; a library of plugins is a regular file", kind);
}

std::optional<std::string> refuse_cut_short(const std::filesystem::path& file) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file, failed);
  std::ifstream stream(file, std::ios::binary);
  ElfW(Ehdr) header{};
  if (failed || !stream.read(reinterpret_cast<char*>(&header), sizeof header)) return std::nullopt;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr)))
    return std::nullopt;
  // The section table is what linkers write last.
  std::uint64_t wanted = header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize;
  stream.seekg(static_cast<std::streamoff>(header.e_phoff));
  ElfW(Phdr) segment{};
  for (int i = 0; i < header.e_phnum && stream.read(reinterpret_cast<char*>(&segment), sizeof segment); ++i)
    wanted = std::max<std::uint64_t>(wanted, segment.p_offset + segment.p_filesz);
  if (wanted <= size) return std::nullopt;
  return fmt::format("it is cut short: it has {} bytes, but its headers name {}; copy or build it again", size, wanted);
}

}  // namespace nbs::host
