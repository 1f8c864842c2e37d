#!/bin/sh
# Builds the plugin, runs its test, checks the library, and trains for a few iterations: what a change must pass. Where
# nbs is not installed in the system: PATH=PREFIX/bin:$PATH CMAKE_PREFIX_PATH=PREFIX ./check.sh
set -eu
cd "$(dirname "$0")"
cmake -G Ninja -S . -B build
cmake --build build
ctest --test-dir build --output-on-failure
nbs test-plugin build/@library@ --level 10
nbs check compare.toml
nbs run @name@.toml --run-dir build/run-$$ --progress none --set data.count=4 --set data.labeled=2 \
  --set data.image_size=64 --set profile.patch_size=16 --set profile.length=4 --set buffer.crop=32 \
  --set train.iterations=8 --set train.patches=16 --set train.minibatch=8 --set train.threads=1
