// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "nbs/state.h"

namespace nbs::training {

// Tensors as the bytes of a safetensors file (https://huggingface.co/docs/safetensors): 8 bytes with the length of a
// JSON header, the header (type, shape and place of each tensor), and the numbers, row by row, lowest byte first. It is
// data only: reading one runs nothing that it holds, whoever made it. Other programs read it too (in Python:
// safetensors.torch.load_file).

/// The bytes for `state`; the header's `__metadata__` has the SHA-256 of the numbers. The same state gives the same
/// bytes.
std::string to_safetensors(const State& state);

/// The numbers of a tensor of a State as the file holds them; they lie in the tensor.
std::string_view numbers_of(const torch::Tensor& tensor);

/// The first bytes of that file, up to the numbers. The numbers follow: those of each tensor, in order, as they lie in
/// memory. Throws nbs::Error if there are too many tensors for a file that can be read again.
std::string safetensors_header(const State& state);

/// The state in `bytes`, in the order of the numbers. Throws nbs::Error, a sentence that begins with `file`, for
/// anything but what to_safetensors() makes: a header or tensor that is not within the bytes, tensors that overlap or
/// leave gaps, a size that is not that of shape and type, an unknown type, numbers that have changed since the
/// SHA-256 was taken, and values that are not finite.
State from_safetensors(const std::string& bytes, const std::string& file);

}  // namespace nbs::training
