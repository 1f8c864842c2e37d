// SPDX-License-Identifier: Apache-2.0
#pragma once

// LibTorch and doctest together.
#include "nbs/doctest.h"
#include "nbs/tensor.h"
