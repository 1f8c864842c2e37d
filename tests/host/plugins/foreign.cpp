// SPDX-License-Identifier: Apache-2.0
// A shared library that has nothing to do with nbs.
extern "C" __attribute__((visibility("default"))) int answer() {
  return 42;
}
