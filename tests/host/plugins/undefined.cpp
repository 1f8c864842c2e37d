// SPDX-License-Identifier: Apache-2.0
// Calls a function that no library has; linked without -Wl,--no-undefined, as a plugin built by hand may be.
#include "plain.h"

extern "C" void nbs_test_function_that_nobody_has();

NBS_PLAIN_PLUGIN("undefined") {
  nbs_test_function_that_nobody_has();
}
