// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace nbs::evaluation {

/// How often what a predictor gives one of `all.size()` ascending levels is anomalous, by pixels whose masks are known:
/// the shares that never fall from level to level and are closest to the observed ones in the sense of weighted least
/// squares. Isotonic regression by pooling adjacent violators (Ayer et al. 1955), as Zadrozny and Elkan (2002)
/// calibrate probabilities with. A level that no pixel has takes the share of the next lower one, or 0 if there is
/// none. `anomalous` and `all`: weights of the anomalous and of all pixels at each level, with anomalous[i] <= all[i].
std::vector<double> isotonic_shares(const std::vector<double>& anomalous, const std::vector<double>& all);

}  // namespace nbs::evaluation
