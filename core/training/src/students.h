// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "nbs/training/pseudo_labels.h"
#include "nbs/training/trainer.h"

#include "predictor_side.h"

namespace nbs::training {

/// The students, and the masks that they learn from.
struct Trainer::Students {
  std::vector<PseudoLabels> pseudo;
  PredictorSide predictors;

  Students(const TrainingImages& images, const std::vector<std::shared_ptr<Predictor>>& students,
           const Settings& settings, Random& random, std::uint64_t seed, std::vector<PseudoLabels> labels)
      : pseudo(std::move(labels)),
        predictors(images, *students.front(), {students.begin() + 1, students.end()}, settings, random, seed, pseudo) {}
};

}  // namespace nbs::training
