// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/random.h"

#include <locale>

#include <doctest/doctest.h>

#include "nbs/error.h"

TEST_CASE("the engine is the standard's 64-bit Mersenne twister") {
  // ISO C++ [rand.predef]: the 10,000th value of a generator with the default seed.
  nbs::Random random(5489);
  for (int i = 1; i < 10000; ++i)
    random.bits();
  CHECK(random.bits() == 9981545732273789042ULL);
}

TEST_CASE("a source goes on where another stood") {
  nbs::Random random(7);
  for (int i = 0; i < 1000; ++i)
    random.bits();
  const auto state = random.state();
  nbs::Random other(8);
  other.set_state(state);
  CHECK(other.state() == state);
  for (int i = 0; i < 1000; ++i)
    CHECK(other.bits() == random.bits());
}

TEST_CASE("a state that is none is refused, and nothing changes") {
  nbs::Random random(7);
  const auto state = random.state();
  for (const std::string& bad :
       {std::string(), std::string("1 2 3"), state + " 4", state.substr(0, state.size() / 2), std::string(9, '\0')}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(random.set_state(bad), nbs::Error);
    CHECK(random.state() == state);
  }
}

namespace {

// As in some languages: 1.000.000.
class Grouped : public std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("a state does not depend on how the program's language writes numbers") {
  nbs::Random random(7);
  const auto state = random.state();
  const std::locale before = std::locale::global(std::locale(std::locale(), new Grouped));
  const auto grouped = random.state();
  random.bits();
  random.set_state(state);
  const auto again = random.state();
  std::locale::global(before);
  CHECK(grouped == state);
  CHECK(again == state);
}
