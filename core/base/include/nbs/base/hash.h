// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace nbs {

/// SHA-256 (FIPS 180-4) of some bytes, in lower-case hexadecimal.
std::string sha256(const std::string& bytes);

/// SHA-256 of a file, in hexadecimal; empty if it cannot be read.
std::string file_sha256(const std::filesystem::path& file);

}  // namespace nbs
