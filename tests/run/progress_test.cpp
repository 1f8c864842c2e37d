// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/progress.h"

#include <regex>

#include <doctest/doctest.h>
#include <unistd.h>

#include "environment.h"
#include "messages.h"

using nbs::run::duration_text;
using nbs::run::Progress;
using nbs::test::messages_of;

TEST_CASE("durations in words") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(44.6) == "45 s");
  CHECK(duration_text(59.7) == "1 min 00 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(3599.9) == "1 h 00 min");
  CHECK(duration_text(3720) == "1 h 02 min");
  CHECK(duration_text(100 * 3600 + 59 * 60) == "100 h 59 min");
}

TEST_CASE("lines: the first, the last and few between, with the values in order") {
  const auto text = messages_of([] {
    Progress progress(Progress::Style::lines, 100);
    for (int i = 1; i <= 100; ++i)
      progress.update(i, {{"l_pred", 0.123456}, {"beta", 1.0}});
    progress.finish();
  });
  // The first estimate hangs on how busy the machine is.
  CHECK(std::regex_replace(text, std::regex("1/100  .* left"), "1/100  0 s left") ==
        "1/100  0 s left  l_pred 0.1235  beta 1\n100/100  0 s left  l_pred 0.1235  beta 1\n");
}

TEST_CASE("a bar is drawn over itself, filled by the share done, and a message gets a line of its own") {
  const auto text = messages_of([] {
    Progress progress(Progress::Style::bar, 4);
    progress.update(1, {{"r", 2.0}});
    progress.say("evaluating");
    progress.update(4, {});
    progress.finish();
    progress.finish();
  });
  CHECK(text ==
        "\r\033[K[######..................] 1/4  0 s left  r 2\nevaluating\n"
        "\r\033[K[########################] 4/4  0 s left\n");
}

TEST_CASE("the time left follows from the time so far") {
  const auto text = messages_of([] {
    Progress progress(Progress::Style::lines, 1000);
    usleep(50000);
    progress.update(1, {});  // 0.05 s for one of a thousand
  });
  const auto at = text.find("  ");
  REQUIRE(at != std::string::npos);
  const int left = std::stoi(text.substr(at));
  CHECK((left >= 49 || text.find(" min ") != std::string::npos));  // a busy machine sleeps longer
  CHECK(text.find(" s left") != std::string::npos);
}

TEST_CASE("when nothing is to be shown, nothing is") {
  CHECK(messages_of([] {
          Progress progress(Progress::Style::none, 2);
          progress.update(1, {{"a", 1.0}});
          progress.say("hello");
          progress.update(2, {});
          progress.finish();
        }).empty());
}
