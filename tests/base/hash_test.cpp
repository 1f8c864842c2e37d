// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/hash.h"

#include <doctest/doctest.h>

#include "scratch.h"

using namespace nbs;

TEST_CASE("hashes are those of the standard") {
  // FIPS 180-2, examples of SHA-256.
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const nbs::test::Scratch scratch;
  CHECK(file_sha256(scratch.write("a", "abc")) == sha256("abc"));
  CHECK(file_sha256(scratch.write("b", "")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(file_sha256(scratch / "none").empty());
}
