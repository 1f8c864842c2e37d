// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/number.h"

#include <doctest/doctest.h>

#include "error_text.h"

using doctest::Contains;
using nbs::parse_integer;
using nbs::parse_number;
using nbs::test::error_text;

namespace {

doctest::String refusal(const std::string& text) {
  return error_text([&] { parse_number(text, "--threshold", 0, 1); });
}

}  // namespace

TEST_CASE("decimal numbers in range are read exactly") {
  CHECK(parse_number("0.5", "x", 0, 1) == 0.5);
  CHECK(parse_number("1", "x", 0, 1) == 1);
  CHECK(parse_number("1e-3", "x", 0, 1) == 0.001);
  CHECK(parse_number("0.1", "x", 0, 1) == 0.1);
  CHECK(parse_number("-2.5", "x", -3, 0) == -2.5);
  CHECK(parse_number("0", "x", 0, 1) == 0);
  CHECK(parse_integer("12", "x", 0, 4096) == 12);
  CHECK(parse_integer("-1", "x", -1, 1) == -1);
}

TEST_CASE("anything else is refused with the text and what is wanted") {
  CHECK(refusal("1.5") == "--threshold is \"1.5\", but a number from 0 to 1 is wanted");
  CHECK(refusal("-0.1") == Contains("but a number from 0 to 1 is wanted"));
  CHECK(refusal("0,5") == "--threshold is \"0,5\", but a number from 0 to 1 is wanted; write a point, not a comma");
  for (const char* text : {"1e-400", "1e400"}) {
    CAPTURE(text);
    CHECK(refusal(text) == Contains("too small or too large"));
  }
  for (const char* text :
       {"nan", "inf", "-inf", "NAN", "infinity", "0x1p-2", "", " 0.5", "0.5 ", "half", "0.5x", "+0.5"}) {
    CAPTURE(text);
    CHECK(refusal(text) == Contains("write it in decimals, for example 0.5"));
  }
  for (const char* text : {"", "1.5", "0x2", "99999999999999999999", "4097", "-1", "two", "2 "}) {
    CAPTURE(text);
    CHECK(error_text([&] { parse_integer(text, "--threads", 0, 4096); }) ==
          nbs::test::text(std::string("--threads is \"") + text + "\", but an integer from 0 to 4096 is wanted"));
  }
}

TEST_CASE("a threshold is told from 0 and from 1, however close it is") {
  CHECK(nbs::threshold_text(0.4314) == "0.431");
  CHECK(nbs::threshold_text(0) == "0.000");
  CHECK(nbs::threshold_text(1) == "1.000");
  CHECK(nbs::threshold_text(1.297e-6) == "1.3e-06");
  CHECK(nbs::threshold_text(0.0004) == "0.0004");
  CHECK(nbs::threshold_text(0.0005) == "0.001");
  CHECK(nbs::threshold_text(1 - 1.3e-5) == "0.999987");
}
