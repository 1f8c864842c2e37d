// SPDX-License-Identifier: Apache-2.0
#pragma once

// All of LibTorch's C++ front end. Heavy: precompiled in this project, see cmake/nbs_module.cmake.
#include <torch/torch.h>
