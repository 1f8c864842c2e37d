// SPDX-License-Identifier: Apache-2.0
#include "seconds_io.h"

#include <fmt/format.h>

namespace nbs::training {

namespace {

constexpr double kNoSeconds = -1;

}  // namespace

void write_seconds(StateWriter& writer, const std::string& name, const record::Seconds& seconds) {
  std::vector<double> all;
  for (const auto& stage : record::stages())
    all.push_back((seconds.*stage.seconds).value_or(kNoSeconds));
  writer.numbers(name, all);
}

record::Seconds read_seconds(const StateReader& reader, const std::string& name) {
  const auto all = reader.numbers(name);
  const auto& stages = record::stages();
  reader.require(all.size() == stages.size(),
                 fmt::format("\"{}\" has {} stages, but there are {}", name, all.size(), stages.size()));
  record::Seconds seconds;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (all[i] >= 0) seconds.*stages[i].seconds = all[i];
  }
  return seconds;
}

}  // namespace nbs::training
