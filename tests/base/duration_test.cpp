// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/duration.h"

#include <doctest/doctest.h>

using nbs::duration_text;

TEST_CASE("durations in words") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(44.6) == "45 s");
  CHECK(duration_text(59.7) == "1 min 00 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(3599.9) == "1 h 00 min");
  CHECK(duration_text(3720) == "1 h 02 min");
  CHECK(duration_text(100 * 3600 + 59 * 60) == "100 h 59 min");
}
