// SPDX-License-Identifier: Apache-2.0
#include "nbs/options.h"

struct Options {
  float share = 0.5F;  // no type of option
  static void declare(nbs::Schema<Options>& s) { s.add("share", &Options::share); }
};

int main() {
  nbs::schema_of<Options>();
}
