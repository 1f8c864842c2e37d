// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nbs/config/pipeline.h"
#include "nbs/data/sets.h"
#include "nbs/record/run_directory.h"
#include "nbs/training/training_images.h"

#include "progress.h"

namespace nbs::worker {

/// The images of a run.
struct RunData {
  data::Listing listing;
  data::Split split;
  data::TrainingSet set;
  training::TrainingImages images;
  std::int64_t masks = 0;  ///< checksum_of_masks() of the labeled images, as they were read
};

/// Lists the data set, writes the split into the run's folder, and reads the images with so many threads. How far it is
/// stands on standard error as `style` says, if it takes longer than two seconds. Throws nbs::Error, and
/// data::ReadingStopped if the program is told to stop.
RunData load_run_data(const config::Pipeline& pipeline, const record::RunDirectory& out, std::int64_t threads,
                      Progress::Style style);

}  // namespace nbs::worker
