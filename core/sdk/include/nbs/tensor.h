// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tensors, generators and the guards that switch gradients off, without modules, optimizers and data loaders: the
// narrow include of the SDK.
#include <torch/types.h>
#include <torch/utils.h>
