// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/run_directory.h"

#include <cerrno>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "nbs/base/files.h"
#include "nbs/error.h"

namespace nbs::run {

namespace {

void make_parents(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    throw Error(fmt::format("the output folder {} cannot be made: {}; choose another with --out", folder.string(),
                            failed.message()));
  }
}

// The resolved pipeline as it is written. TOML is UTF-8, but the names of files and folders in it need not be.
std::string resolved_text(const config::Pipeline& pipeline) {
  auto text = config::to_toml(pipeline);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = line;
    try {
      json.dump();
    } catch (const nlohmann::json::type_error&) {
      throw Error(
          fmt::format("a text of the pipeline is not UTF-8, so no TOML file can hold it: {}; rename the file or "
                      "folder that it names",
                      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    }
  }
  return text;
}

}  // namespace

std::filesystem::path make_run_directory(const std::filesystem::path& parent, const config::Pipeline& pipeline) {
  const auto text = resolved_text(pipeline);
  make_parents(parent);
  const std::string stem = fmt::format("{}-{}", pipeline.name, config::short_hash(pipeline));
  for (int number = 1;; ++number) {
    const auto folder = parent / (number == 1 ? stem : fmt::format("{}-{}", stem, number));
    // mkdir either makes the folder or says that somebody else has: two runs that start together cannot share one.
    if (mkdir(folder.c_str(), 0755) == 0) {
      write_file(folder / "resolved.toml", text);
      return folder;
    }
    if (errno != EEXIST) {
      throw Error(fmt::format("the run folder {} cannot be made: {}; choose another place with --out", folder.string(),
                              std::strerror(errno)));
    }
  }
}

std::filesystem::path use_run_directory(const std::filesystem::path& folder, const config::Pipeline& pipeline) {
  const auto text = resolved_text(pipeline);
  make_parents(folder);
  const auto resolved = folder / "resolved.toml";
  bool taken = !std::filesystem::is_empty(folder);
  if (!taken) {
    // Of two runs that are given the same empty folder at the same moment, only one makes this file.
    const int descriptor = open(resolved.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor >= 0) {
      close(descriptor);
    } else if (errno == EEXIST) {
      taken = true;
    } else {
      throw Error(fmt::format("the run folder {} cannot be written to: {}; choose another with --out", folder.string(),
                              std::strerror(errno)));
    }
  }
  if (taken)
    throw Error(
        fmt::format("the run folder {} is not empty; name a new one, so that no result is lost", folder.string()));
  write_file(resolved, text);
  return folder;
}

bool is_finished(const std::filesystem::path& folder) {
  try {
    const auto result = nlohmann::json::parse(read_file(folder / "result.json"));
    const std::string ending = result.at("ending");
    return ending == "finished" || ending == "patience";
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace nbs::run
