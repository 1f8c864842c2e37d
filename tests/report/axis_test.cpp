// SPDX-License-Identifier: Apache-2.0
#include "axis.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "nbs/base/random.h"

using namespace nbs;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double from_bits(std::uint64_t bits) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Numbers at which arithmetic ends, and neighbours of ordinary ones.
const std::vector<double>& special_numbers() {
  static const std::vector<double> kNumbers = {0.0,
                                               -0.0,
                                               5e-324,
                                               -5e-324,
                                               1e-310,
                                               2.2250738585072014e-308,
                                               1e-300,
                                               1e-12,
                                               0.1,
                                               0.30000000000000004,
                                               1,
                                               std::nextafter(1.0, 2.0),
                                               -1,
                                               0.6931471805599453,
                                               std::nextafter(0.6931471805599453, 1.0),
                                               1e6,
                                               9007199254740992.0,
                                               9007199254740994.0,
                                               1e22,
                                               1e300,
                                               1e308,
                                               -1e308,
                                               std::numeric_limits<double>::max(),
                                               std::numeric_limits<double>::lowest(),
                                               kInfinity,
                                               -kInfinity,
                                               std::numeric_limits<double>::quiet_NaN()};
  return kNumbers;
}

// Pairs of special numbers, of random bit patterns, and of neighbours of random numbers.
void for_many_pairs(const std::function<void(double, double)>& check) {
  for (const double low : special_numbers()) {
    for (const double high : special_numbers())
      check(low, high);
  }
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const double low = from_bits(random.bits());
    check(low, from_bits(random.bits()));
    double near = low;
    for (std::int64_t k = random.below(5); k >= 0; --k)
      near = std::nextafter(near, kInfinity);
    check(low, near);
    check(low, low + std::abs(low) * std::pow(10, -random.uniform() * 16));
  }
}

// What is wrong with ticks between low and high, or nothing. Written without the code under test.
std::string problem_of(const std::vector<double>& ticks, double low, double high, std::size_t most) {
  if (ticks.size() > most) return "too many";
  if (!ticks.empty() && !(std::isfinite(low) && std::isfinite(high) && low < high)) return "ticks of no range";
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    if (!std::isfinite(ticks[i])) return "not finite";
    if (i > 0 && !(ticks[i] > ticks[i - 1])) return "not rising";
    // A millionth of the range is far less than a pixel.
    const double slack = high / 1e6 - low / 1e6;
    if (ticks[i] < low - slack || ticks[i] > high + slack) return "outside";
  }
  return "";
}

}  // namespace

TEST_CASE("Whatever the range, round ticks are few, rising, finite and inside") {
  std::set<std::string> problems;
  for_many_pairs([&](double low, double high) {
    for (const int wanted : {0, 1, 4, 5})
      problems.insert(problem_of(nbs::report::round_ticks(low, high, wanted), low, high,
                                 static_cast<std::size_t>(std::max(wanted, 3)) + 2));
  });
  problems.erase("");
  CHECK(fmt::format("{}", fmt::join(problems, ", ")) == "");
}

TEST_CASE("Whatever the range, logarithmic ticks are few, rising, finite and inside") {
  std::set<std::string> problems;
  for_many_pairs([&](double low, double high) {
    const auto ticks = nbs::report::logarithmic_ticks(low, high);
    // Outside by rounding alone: relative, as the axis is logarithmic.
    for (const double tick : ticks) {
      if (tick < low * 0.999999 || tick / 1.000001 > high) problems.insert("outside");
    }
    problems.insert(problem_of(ticks, low, high, 10));
  });
  problems.erase("");
  CHECK(fmt::format("{}", fmt::join(problems, ", ")) == "");
}

TEST_CASE("A visible range holds the range asked for, and has ticks that read differently") {
  std::set<std::string> problems;
  for_many_pairs([&](double low, double high) {
    if (!std::isfinite(low) || !std::isfinite(high) || low > high) return;
    const auto range = nbs::report::visible_range(low, high);
    if (!(std::isfinite(range.low) && std::isfinite(range.high) && range.low < range.high)) problems.insert("no range");
    if (range.low > low || range.high < high) problems.insert("does not hold it");
    for (const double value : {low, high, low / 2 + high / 2}) {
      const double share = nbs::report::share_of(value, range.low, range.high);
      if (!(share >= 0 && share <= 1)) problems.insert("share outside");
    }
    const auto ticks = nbs::report::round_ticks(range.low, range.high, 4);
    if (ticks.empty()) problems.insert("no ticks");
    std::set<std::string> texts;
    const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
    for (const double tick : ticks)
      texts.insert(nbs::report::tick_text(tick, step));
    if (texts.size() < ticks.size()) problems.insert("texts alike");
  });
  CHECK(fmt::format("{}", fmt::join(problems, ", ")) == "");
}

TEST_CASE("Ordinary ranges have the ticks that a person would choose") {
  using Ticks = std::vector<double>;
  CHECK(nbs::report::round_ticks(0, 100, 5) == Ticks{0, 20, 40, 60, 80, 100});
  CHECK(nbs::report::round_ticks(-1, 1, 4) == Ticks{-1, -0.5, 0, 0.5, 1});
  CHECK(nbs::report::logarithmic_ticks(0.5, 2000) == Ticks{1, 10, 100, 1000});
  CHECK(nbs::report::logarithmic_ticks(0.5, 20) == Ticks{0.5, 1, 2, 5, 10, 20});
  CHECK(nbs::report::logarithmic_ticks(1e-300, 1e300).size() >= 5);
  CHECK(nbs::report::tick_text(0.25, 0.25) == "0.2");
  CHECK(nbs::report::tick_text(0.6931472, 1e-7) == "0.6931472");
  CHECK(nbs::report::tick_text(2e6, 5e5) == "2e+06");
  // A range that can be seen stays as it is.
  CHECK(nbs::report::visible_range(0.5, 0.501).high == 0.501);
}
