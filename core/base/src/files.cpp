// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbs/error.h"

namespace nbs {

namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* what, int reason) {
  const char* advice = "; choose another folder with --out, or change its permissions";
  if (reason == ENOSPC || reason == EDQUOT) advice = "; free some space";
  if (reason == EFBIG) advice = "; raise the limit on the size of files (ulimit -f)";
  if (reason == ENAMETOOLONG) advice = "; choose a shorter name";
  throw Error(fmt::format("{} {} failed: {}{}", what, file.string(), std::strerror(reason), advice));
}

// Writes all bytes; returns 0 or the system's reason.
int write_all(int descriptor, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int write_all(int descriptor, const std::vector<std::string_view>& pieces) {
  for (const auto& piece : pieces) {
    if (const int reason = write_all(descriptor, piece); reason != 0) return reason;
  }
  return 0;
}

// How the names of files that are being written begin and end.
constexpr const char* kUnfinishedBegin = ".nbs-";
constexpr const char* kUnfinishedEnd = ".tmp";

// A new file in `folder` under a name that nobody can guess and no other process has; -1 and errno if there is none.
// Its name does not depend on the final one, which may be as long as the file system allows.
int open_unique(const std::filesystem::path& folder, std::filesystem::path& path) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits) return -1;
    path = folder / fmt::format("{}{:016x}{}", kUnfinishedBegin, bits, kUnfinishedEnd);
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

void write_into(const std::filesystem::path& file, const std::vector<std::string_view>& pieces) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) fail(file, "writing", errno);
  int reason = write_all(descriptor, pieces);
  if (close(descriptor) != 0 && reason == 0) reason = errno;
  if (reason != 0) fail(file, "writing", reason);
}

}  // namespace

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  write_file(file, std::vector<std::string_view>{bytes});
}

void write_file(const std::filesystem::path& file, const std::vector<std::string_view>& pieces) {
  struct stat status {};
  const bool exists = stat(file.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) fail(file, "writing", EISDIR);
    write_into(file, pieces);
    return;
  }
  std::error_code failed;
  std::filesystem::path target = file;
  if (exists && std::filesystem::is_symlink(file, failed)) target = std::filesystem::canonical(file);
  std::filesystem::path temporary;
  const auto parent = target.parent_path();
  const int descriptor = open_unique(parent.empty() ? "." : parent, temporary);
  if (descriptor < 0) fail(file, "writing", errno);
  // Says that somebody still writes, as long as he lives (remove_unfinished_files). Not everywhere are there locks.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) errno = 0;
  int reason = write_all(descriptor, pieces);
  if (reason == 0 && fsync(descriptor) != 0) reason = errno;
  if (close(descriptor) != 0 && reason == 0) reason = errno;
  if (reason == 0 && rename(temporary.c_str(), target.c_str()) != 0) reason = errno;
  if (reason != 0) {
    unlink(temporary.c_str());
    fail(file, "writing", reason);
  }
}

bool is_unfinished_file(const std::string& name) {
  const std::string begin = kUnfinishedBegin;
  const std::string end = kUnfinishedEnd;
  return name.size() == begin.size() + 16 + end.size() && name.compare(0, begin.size(), begin) == 0 &&
         name.compare(name.size() - end.size(), end.size(), end) == 0;
}

void remove_unfinished_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code failed;
  std::filesystem::directory_iterator at(folder, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    if (is_unfinished_file(at->path().filename().string())) found.push_back(at->path());
  }
  for (const auto& file : found) {
    const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlink(file.c_str());
    close(descriptor);
  }
}

std::uintmax_t file_length(const std::filesystem::path& file) {
  std::error_code failed;
  const auto length = std::filesystem::file_size(file, failed);
  return failed ? 0 : length;
}

void cut_file(const std::filesystem::path& file, std::uintmax_t length) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(file, "opening", errno);
  struct stat status {};
  int reason = fstat(descriptor, &status) != 0 ? errno : 0;
  const bool shorter = reason == 0 && static_cast<std::uintmax_t>(status.st_size) < length;
  if (reason == 0 && !shorter && ftruncate(descriptor, static_cast<off_t>(length)) != 0) reason = errno;
  if (reason == 0 && !shorter && fsync(descriptor) != 0) reason = errno;
  close(descriptor);
  if (reason != 0) fail(file, "writing", reason);
  if (shorter)
    throw Error(fmt::format("{} has {} bytes, but {} were written once; it was changed since", file.string(),
                            status.st_size, length));
}

std::string read_file(const std::filesystem::path& file, const std::string& what, std::size_t limit) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    throw Error(fmt::format("the {} {} cannot be opened ({}); check that it exists and may be read", what,
                            file.string(), std::strerror(errno)));
  }
  std::string bytes;
  std::string problem;
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    problem = fmt::format("the {} {} cannot be opened: it is no regular file (but {}); name a file", what,
                          file.string(), S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or socket");
  } else {
    bytes.reserve(std::min<std::size_t>(static_cast<std::size_t>(status.st_size), limit));
    char block[65536];
    while (problem.empty()) {
      const auto count = read(descriptor, block, sizeof block);
      if (count == 0) break;
      if (count < 0) {
        if (errno != EINTR) problem = fmt::format("reading {} failed: {}", file.string(), std::strerror(errno));
        continue;
      }
      bytes.append(block, static_cast<std::size_t>(count));
      if (bytes.size() > limit)
        problem =
            fmt::format("the {} {} has more than {} bytes, which is too large for one", what, file.string(), limit);
    }
  }
  close(descriptor);
  if (!problem.empty()) throw Error(problem);
  return bytes;
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

void LineFile::sync() {
  if (fsync(fileno(file_)) != 0) fail(path_, "writing", errno);
}

NewFile::NewFile(std::filesystem::path file, std::uint64_t length) : file_(std::move(file)) {
  const auto parent = file_.parent_path();
  descriptor_ = open_unique(parent.empty() ? "." : parent, temporary_);
  if (descriptor_ < 0) fail(errno);
  // Says that somebody still writes (remove_unfinished_files). Not everywhere are there locks.
  static_cast<void>(flock(descriptor_, LOCK_EX | LOCK_NB));
  if (length == 0 || fallocate(descriptor_, 0, 0, static_cast<off_t>(length)) == 0) return;
  const int reason = errno;
  if (reason == EOPNOTSUPP || reason == ENOSYS) return;
  close(descriptor_);
  unlink(temporary_.c_str());
  fail(reason);
}

NewFile::~NewFile() {
  if (descriptor_ < 0) return;
  unlink(temporary_.c_str());
  close(descriptor_);
}

void NewFile::fail(int reason) const {
  throw Error(fmt::format("writing {} failed: {}", file_.string(), std::strerror(reason)));
}

void NewFile::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(count < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

void NewFile::finish() {
  if (fsync(descriptor_) != 0) fail(errno);
  if (rename(temporary_.c_str(), file_.c_str()) != 0) fail(errno);
  const int closed = close(std::exchange(descriptor_, -1));
  if (closed != 0) fail(errno);
}

FileReader::FileReader(std::filesystem::path file)
    : file_(std::move(file)), descriptor_(open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status {};
  if (descriptor_ >= 0 && fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) {
    length_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  const int reason = descriptor_ < 0 ? errno : EINVAL;
  if (descriptor_ >= 0) close(descriptor_);
  throw Error(fmt::format("opening {} failed: {}", file_.string(), std::strerror(reason)));
}

FileReader::~FileReader() {
  close(descriptor_);
}

void FileReader::read_at(std::uint64_t offset, void* to, std::size_t count) const {
  auto* at = static_cast<char*>(to);
  while (count > 0) {
    const auto got = pread(descriptor_, at, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(fmt::format("reading {} at byte {} failed: {}", file_.string(), offset,
                              got < 0 ? std::strerror(errno) : "the file ends before"));
    }
    at += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

std::string FileReader::end(std::size_t count) const {
  std::string bytes(std::min<std::uint64_t>(count, length_), '\0');
  read_at(length_ - bytes.size(), bytes.data(), bytes.size());
  return bytes;
}

TemporaryFile::TemporaryFile(const std::string& stem, const std::string& text) {
  std::error_code failed;
  const auto folder = std::filesystem::temp_directory_path(failed);
  if (failed) {
    const char* named = std::getenv("TMPDIR");
    throw Error(
        fmt::format("there is no folder for temporary files: TMPDIR is \"{}\", which is no folder; set it to one",
                    named != nullptr ? named : ""));
  }
  std::string pattern = (folder / ("nbs-" + stem + "-XXXXXX")).string();
  const int descriptor = mkostemp(pattern.data(), O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(fmt::format("no temporary file can be made in {}: {}; set TMPDIR to another folder", folder.string(),
                            std::strerror(errno)));
  }
  path_ = pattern;
  int reason = write_all(descriptor, text);
  if (close(descriptor) != 0 && reason == 0) reason = errno;
  if (reason != 0) {
    unlink(path_.c_str());
    fail(path_, "writing", reason);
  }
}

TemporaryFile::~TemporaryFile() {
  unlink(path_.c_str());
}

}  // namespace nbs
