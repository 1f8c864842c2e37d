// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a network is in LibTorch, without its layers, optimizers and data loaders. All of "nbs/torch.h" takes half as
// long again to compile; a plugin includes the layers that it uses, such as <torch/nn/modules/conv.h>.
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
