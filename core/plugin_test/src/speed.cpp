// SPDX-License-Identifier: Apache-2.0
// Level 9: how long a piece of use takes beside the plugins of the same kind that come with nbs. It is reported, not
// judged.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "nbs/tensor.h"

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

// The median of a few rounds, in milliseconds.
double milliseconds_of(const Subject& subject, const Context::Facts& facts) {
  const auto specimen = Specimen::make(subject, facts, 1);
  specimen->use(0);
  std::vector<double> times;
  for (std::int64_t round = 1; round <= 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    specimen->use(round);
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + 2, times.end());
  return times[2];
}

}  // namespace

void check_speed(const Subject& subject, Notes& notes) {
  notes.tried("rounds of learning and answering");
  const auto facts = fitting_facts(subject);
  std::string text = fmt::format("{:.2f} ms for a round of learning and answering", milliseconds_of(subject, facts));
  notes.tried(text);
  std::string others;
  for (const auto& plugin : subject.registry->catalog().plugins) {
    if (plugin.kind != subject.plugin.kind || plugin.hash == subject.plugin.hash) continue;
    auto other = subject;
    other.plugin = plugin;
    try {
      others += fmt::format("{}{} {:.2f} ms", others.empty() ? "" : ", ", plugin.name, milliseconds_of(other, facts));
    } catch (const Error&) {
      continue;  // not made for these sizes
    }
  }
  if (!others.empty()) notes.tried(fmt::format("{}; beside it {}", text, others));
}

}  // namespace nbs::plugin_test
