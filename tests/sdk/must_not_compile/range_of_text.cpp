// SPDX-License-Identifier: Apache-2.0
#include "nbs/options.h"

struct Options {
  std::string title = "a";
  static void declare(nbs::Schema<Options>& s) { s.add("title", &Options::title).range(0, 1); }
};

int main() {
  nbs::schema_of<Options>();
}
