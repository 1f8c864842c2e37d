// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "nbs/error.h"

#include "scratch.h"
#include "target.h"

// The same targets for clang's libFuzzer, which is led by coverage: NBS_FUZZ_TARGET=toml nbs-libfuzzer FOLDER.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const nbs::fuzz::Target target = [] {
    const char* const wanted = std::getenv("NBS_FUZZ_TARGET");
    for (const auto& one : nbs::fuzz::targets()) {
      if (wanted != nullptr && one.name == wanted) return one;
    }
    throw nbs::Error("set NBS_FUZZ_TARGET to a target that nbs-fuzz lists");
  }();
  const nbs::test::Scratch scratch;
  try {
    target.read({target.seeds.front().name, std::string(bytes, bytes + size)}, scratch.path());
  } catch (const nbs::Error&) {
    // As it should be.
  }
  return 0;
}
