// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "nbs/host/registry.h"

#include "scratch.h"

namespace nbs::test {

/// A library of tests/host/plugins.
inline std::filesystem::path test_plugin(const std::string& name) {
  return std::filesystem::path(NBS_TEST_PLUGINS) / (name + ".so");
}

/// A registry without plugins. Like every registry it is never destroyed.
inline host::Registry& registry() {
  return *host::Registry::open({});
}

/// A library that was loaded stays in memory, so its file must never be written again.
inline int next_number() {
  static int number = 0;
  return ++number;
}

/// A copy of a library of tests/host/plugins with its record changed: what a build with another host's headers makes.
template <typename Change>
std::filesystem::path changed_library(const Scratch& scratch, const std::string& name, const Change& change) {
  std::ifstream stream(test_plugin(name), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  // Its name tells the record from other places that hold the mark.
  for (auto at = bytes.find(std::string(kAbiMagic, sizeof kAbiMagic)); at != std::string::npos;
       at = bytes.find(std::string(kAbiMagic, sizeof kAbiMagic), at + 1)) {
    AbiRecord record;
    if (at + sizeof record > bytes.size()) break;
    std::memcpy(&record, bytes.data() + at, sizeof record);
    if (record.plugin_name != name) continue;
    change(record);
    std::memcpy(bytes.data() + at, &record, sizeof record);
    return scratch.write(std::to_string(next_number()) + "/" + name + ".so", bytes);
  }
  throw std::runtime_error("the record is not in " + test_plugin(name).string());
}

}  // namespace nbs::test
