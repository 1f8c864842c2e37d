// SPDX-License-Identifier: Apache-2.0
#pragma once

// doctest beside LibTorch, which brings a CHECK of its own that ends the program and would silently take the place of
// doctest's. One file of a test defines DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN before it.
#include <doctest/doctest.h>

#include "nbs/tensor.h"

#undef CHECK
#define CHECK(...) DOCTEST_CHECK(__VA_ARGS__)
