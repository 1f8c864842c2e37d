// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "nbs/error.h"

namespace nbs::run {

namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* what, int reason) {
  const char* advice = "; choose another folder with --out, or change its permissions";
  if (reason == ENOSPC || reason == EDQUOT) advice = "; free some space";
  if (reason == EFBIG) advice = "; raise the limit on the size of files (ulimit -f)";
  throw Error(fmt::format("{} {} failed: {}{}", what, file.string(), std::strerror(reason), advice));
}

}  // namespace

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  const std::filesystem::path temporary = file.string() + fmt::format(".{}.tmp", getpid());
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(file, "writing", errno);
  std::size_t done = 0;
  int reason = 0;
  while (done < bytes.size() && reason == 0) {
    const auto count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      reason = errno;
    }
  }
  if (reason == 0 && fsync(descriptor) != 0) reason = errno;
  if (close(descriptor) != 0 && reason == 0) reason = errno;
  if (reason == 0 && rename(temporary.c_str(), file.c_str()) != 0) reason = errno;
  if (reason != 0) {
    unlink(temporary.c_str());
    fail(file, "writing", reason);
  }
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw Error(fmt::format("the file {} cannot be opened; check that it exists and may be read", file.string()));
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

LineFile::LineFile(const std::filesystem::path& file) : path_(file), file_(std::fopen(file.c_str(), "ae")) {
  if (file_ == nullptr) fail(file, "opening", errno);
}

LineFile::~LineFile() {
  std::fclose(file_);
}

void LineFile::append(const std::string& line) {
  if (std::fputs((line + '\n').c_str(), file_) < 0 || std::fflush(file_) != 0) fail(path_, "writing", errno);
}

}  // namespace nbs::run
