// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tensors and generators, without modules, optimizers and data loaders: the narrow include of the
// SDK.
#include <torch/types.h>
