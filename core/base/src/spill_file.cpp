// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/spill_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "nbs/error.h"

namespace nbs {

SpillFile::SpillFile(SpillFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      length_(std::exchange(other.length_, 0)) {}

SpillFile::~SpillFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void SpillFile::fail(const char* what, int reason) const {
  throw Error(
      fmt::format("{} a temporary file in {} failed: {}; what does not fit into memory is kept there, so free "
                  "some space, or choose another folder",
                  what, folder_.string(), std::strerror(reason)));
}

void SpillFile::open_file() {
  auto name = (folder_ / ".nbs-XXXXXX").string();
  descriptor_ = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("making", errno);
  unlink(name.c_str());
}

void SpillFile::append(const void* bytes, std::size_t count) {
  if (descriptor_ < 0) open_file();
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const auto written = pwrite(descriptor_, from, count, static_cast<off_t>(length_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("writing", written < 0 ? errno : EIO);
    from += written;
    count -= static_cast<std::size_t>(written);
    length_ += static_cast<std::uint64_t>(written);
  }
}

void SpillFile::read_at(std::uint64_t offset, void* to, std::size_t count) const {
  auto* place = static_cast<char*>(to);
  while (count > 0) {
    const auto read = pread(descriptor_, place, count, static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) fail("reading", read < 0 ? errno : EIO);
    place += read;
    offset += static_cast<std::uint64_t>(read);
    count -= static_cast<std::size_t>(read);
  }
}

}  // namespace nbs
