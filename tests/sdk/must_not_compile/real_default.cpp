// SPDX-License-Identifier: Apache-2.0
#include "nbs/options.h"

struct Options {
  std::int64_t step = 8.5;  // it would be 8
  static void declare(nbs::Schema<Options>& s) { s.add("step", &Options::step).range(1, 256); }
};

int main() {
  nbs::schema_of<Options>();
}
