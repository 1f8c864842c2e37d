// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/record/scores.h"

#include "fields.h"

namespace nbs::record {

Json to_json(const Scores& scores);
Json to_json(const ExpectedScores& expected);
/// `complete`: whether every key must be there. Throws nbs::Error that names the JSON pointer.
Scores scores_from_json(const Json& json, const Pointer& at, bool complete);
ExpectedScores expected_from_json(const Json& json, const Pointer& at, bool complete);

}  // namespace nbs::record
