// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scratch.h"

namespace nbs::test {

/// What a result.json needs; the rest of it is left out on purpose.
struct ExampleRun {
  std::string folder;
  std::string dataset = "crackforest";
  std::string method = "proposed";
  int seed = 0;
  int split_seed = 0;
  std::string f1 = "0.5";  ///< as text, or "null"
  std::string ending = "finished";
  std::string sampler = "rl";
  std::string started = "2026-01-01T00:00:00Z";
};

inline std::string pipeline_text(const ExampleRun& run) {
  return "name = \"" + run.folder + "\"\nseed = " + std::to_string(run.seed) + "\n\n[experiment]\ndataset = \"" +
         run.dataset + "\"\nmethod = \"" + run.method +
         "\"\n\n[data]\nformat = \"synthetic\"\nlabeled = 5\nsplit_seed = " + std::to_string(run.split_seed) +
         "\n\n[train]\niterations = 40\nreinit_every = 10\n\n[sampler]\nplugin = \"" + run.sampler + "\"\n";
}

inline std::string result_text(const ExampleRun& run) {
  const std::string scores = run.f1 == "null"
                                 ? std::string("null")
                                 : "{\"threshold\": 0.25, \"precision\": 0.4, \"recall\": 0.8, \"f1\": " + run.f1 +
                                       ", \"oracle\": {\"f1\": 0.75, \"threshold\": 0.3}}";
  return "{\"name\": \"" + run.folder + "\", \"experiment\": {\"dataset\": \"" + run.dataset + "\", \"method\": \"" +
         run.method + "\", \"seed\": " + std::to_string(run.seed) +
         ", \"split_seed\": " + std::to_string(run.split_seed) + ", \"labeled\": 5}, \"ending\": \"" + run.ending +
         "\", \"iterations\": 40, \"scores\": " + scores + "}";
}

/// A folder as a run leaves it; without a result if `ending` is empty.
inline void write_example(const Scratch& scratch, const ExampleRun& run) {
  scratch.write(run.folder + "/resolved.toml", pipeline_text(run));
  scratch.write(run.folder + "/provenance.json",
                "{\"nbs\": \"0.1.0\", \"revision\": \"abc\", \"started\": \"" + run.started + "\"}");
  scratch.write(run.folder + "/metrics.jsonl",
                "{\"iteration\":0,\"ae_loss\":0.5}\n{\"iteration\":1,\"ae_loss\":0.25}\n");
  if (!run.ending.empty()) scratch.write(run.folder + "/result.json", result_text(run));
}

}  // namespace nbs::test
