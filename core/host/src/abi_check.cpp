// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/abi_check.h"

#include <cstring>

#include <fmt/format.h>

namespace nbs::host {

namespace {

template <std::size_t N>
std::string text(const char (&field)[N]) {
  return std::string(field, strnlen(field, N));
}

}  // namespace

std::optional<std::string> refuse_abi(const AbiRecord& plugin, const AbiRecord& host,
                                      std::vector<std::string>& warnings) {
  if (std::memcmp(plugin.magic, host.magic, sizeof host.magic) != 0)
    return "its record does not start with the mark of nbs; it is not a plugin of nbs, or is damaged";
  if (plugin.api_major != host.api_major) {
    return fmt::format(
        "it was built for plugin API {}.{}, but this host has {}.{}; build it again against this version",
        plugin.api_major, plugin.api_minor, host.api_major, host.api_minor);
  }
  if (plugin.struct_size != host.struct_size) {
    return fmt::format("its record has {} bytes, but this host's has {}; build it again against this version",
                       plugin.struct_size, host.struct_size);
  }
  if (plugin.api_minor > host.api_minor) {
    return fmt::format(
        "it was built for plugin API {}.{}, which is newer than this host's {}.{}; update nbs, or build it "
        "again against this version",
        plugin.api_major, plugin.api_minor, host.api_major, host.api_minor);
  }
  if (text(plugin.libtorch) != text(host.libtorch)) {
    return fmt::format("it was built for LibTorch {}, but this host has {}; build it again against the host's",
                       text(plugin.libtorch), text(host.libtorch));
  }
  if (plugin.cuda != host.cuda) {
    return fmt::format("it was built for LibTorch {} CUDA, but this host's is {}; build it again against the host's",
                       plugin.cuda ? "with" : "without", plugin.cuda ? "without" : "with");
  }
  if (plugin.cxx11_abi != host.cxx11_abi) {
    return fmt::format(
        "it was built with _GLIBCXX_USE_CXX11_ABI={}, but this host with {}; build it again with the host's "
        "setting",
        plugin.cxx11_abi, host.cxx11_abi);
  }
  const auto warn = [&](const char* what, const std::string& its, const std::string& ours) {
    if (its != ours) warnings.push_back(fmt::format("it was built with {} {}, this host with {}", what, its, ours));
  };
  warn("the compiler", text(plugin.compiler), text(host.compiler));
  warn("the build type", text(plugin.build_type), text(host.build_type));
  warn("the C++ standard", std::to_string(plugin.cpp_standard), std::to_string(host.cpp_standard));
  return std::nullopt;
}

}  // namespace nbs::host
