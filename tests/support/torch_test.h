// SPDX-License-Identifier: Apache-2.0
#pragma once

// LibTorch and doctest together. LibTorch brings a CHECK of its own, which ends the program and would silently take the
// place of doctest's.
#include <doctest/doctest.h>

#include "nbs/torch.h"

#undef CHECK
#define CHECK(...) DOCTEST_CHECK(__VA_ARGS__)
