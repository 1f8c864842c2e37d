// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nbs::test {

/// Lines in which tests differ; each member ends without a newline.
struct TinyOptions {
  std::string top = "name = \"tiny\"";
  std::string data = "count = 6";
  std::string profile = "length = 2";
  std::string sampler = "plugin = \"random\"";
  std::string train = "iterations = 6\npatches = 8\nreinit_every = 0";
};

/// A pipeline on images of 32 x 32 pixels, generated unless [data] says otherwise, that trains in a fraction of a
/// second. Lines may follow: it ends in [train].
inline std::string tiny_pipeline(const TinyOptions& options = {}) {
  return options.top + R"(
[data]
image_size = 32
labeled = 2
)" + options.data +
         R"(
[profile]
patch_size = 16
)" + options.profile +
         R"(
[buffer]
batch = 2
crop = 16
[sampler]
)" + options.sampler +
         R"(
[autoencoder]
plugin = "conv"
channels = [4, 8]
bottleneck = 4
[predictor]
plugin = "dilated"
dilations = [1, 2]
channels = 4
[train]
clone_patches = 8
minibatch = 8
warmup = 2
threads = 1
)" + options.train +
         "\n";
}

}  // namespace nbs::test
