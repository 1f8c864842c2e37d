// SPDX-License-Identifier: Apache-2.0
#include "mat5.h"

#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "deflated.h"

using namespace nbs;
using data::find_matrix;
using Outcome = data::MatrixSearch::Outcome;

// MATLAB files byte by byte, as no program writes them.

namespace {

constexpr std::size_t kHeader = 128;

std::string word(std::uint32_t value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string whole(const std::string& field = "f") {
  return data::matlab5_bytes("v", field, 1, 2, {3, 4});
}

Outcome outcome_of(const std::string& bytes, const std::string& field = "f") {
  return find_matrix(bytes, "v", field).outcome;
}

// The file with its one element compressed, and `behind` in the same stream.
std::string compressed(const std::string& behind) {
  const auto file = whole();
  const auto packed = test::deflated(file.substr(kHeader) + behind);
  return file.substr(0, kHeader) + word(15) + word(static_cast<std::uint32_t>(packed.size())) + packed;
}

}  // namespace

TEST_CASE("a small element that claims more than its four bytes is damaged") {
  REQUIRE(outcome_of(whole()) == Outcome::found);
  CHECK(outcome_of(whole() + word(4U << 16U | 1U) + word(0)) == Outcome::found);
  for (const std::uint32_t size : {5U, 0xFFFFU})
    CHECK(outcome_of(whole() + word(size << 16U | 1U) + word(0)) == Outcome::damaged);
}

TEST_CASE("of a list of structs none is meant") {
  auto file = whole();
  const auto extents = word(5) + word(8) + word(1) + word(1);
  const auto at = file.find(extents);
  REQUIRE(at != std::string::npos);
  file.replace(at, extents.size(), word(5) + word(8) + word(1) + word(2));
  CHECK(outcome_of(file) == Outcome::absent);
}

TEST_CASE("a version of the format that is not known is no file of this one") {
  auto file = whole();
  const auto high = file[124] == 1 ? 124U : 125U;
  file[high] = 2;
  CHECK(outcome_of(file) == Outcome::foreign);
}

TEST_CASE("behind a compressed element there is padding and nothing else") {
  CHECK(outcome_of(compressed("")) == Outcome::found);
  CHECK(outcome_of(compressed(std::string(7, '\0'))) == Outcome::found);
  CHECK(outcome_of(compressed(std::string(64, '\0'))) == Outcome::damaged);
}

TEST_CASE("the name of a field that is too long for the format is cut, and ends there") {
  const std::string name(31, 'n');
  CHECK(outcome_of(whole(name), name) == Outcome::found);
  CHECK(outcome_of(whole(name + "nnn"), name) == Outcome::found);
}
