// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/seeds.h"

#include <cmath>
#include <set>

#include "nbs/base/random.h"

#include "torch_test.h"

using nbs::Random;
using nbs::training::component_seed;

TEST_CASE("component seeds are fixed numbers: a change would change every run there is") {
  CHECK(component_seed(0, "sampler") == 0xde03af8678d14152ULL);
  CHECK(component_seed(0, "autoencoder") == 0x789efb70bf3027fbULL);
  CHECK(component_seed(0, "predictor") == 0xa2bd2977204a20bcULL);
  CHECK(component_seed(0, "training") == 0xd5243ca2d0fd12aeULL);
  CHECK(component_seed(1, "sampler") == 0x953030dcbafcb603ULL);
  CHECK(component_seed(1, "autoencoder") == 0x2789fc405a168c62ULL);
  CHECK(component_seed(1, "predictor") == 0x147e529e1ebc3350ULL);
  CHECK(component_seed(1, "training") == 0x62e4f56a34c86cdaULL);
}

TEST_CASE("component seeds are distinct over roles and runs") {
  std::set<std::uint64_t> seeds;
  std::size_t made = 0;
  for (std::uint64_t run = 0; run < 200; ++run) {
    for (const char* role : {"sampler", "autoencoder", "predictor", "postproc", "training"}) {
      seeds.insert(component_seed(run, role));
      ++made;
    }
  }
  CHECK(seeds.size() == made);
}

TEST_CASE("the training loop's random source is the standard's 64-bit Mersenne twister") {
  Random random(5489);  // [rand.predef]: the 10000th number of the default engine
  std::uint64_t last = 0;
  for (int i = 0; i < 10000; ++i)
    last = random.bits();
  CHECK(last == 9981545732273789042ULL);
}

TEST_CASE("draws are uniform and normal") {
  Random random(1);
  std::vector<std::int64_t> counts(7, 0);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 70000; ++i) {
    const auto drawn = random.below(7);
    REQUIRE(drawn >= 0);
    REQUIRE(drawn < 7);
    ++counts[static_cast<std::size_t>(drawn)];
    const double normal = random.normal();
    sum += normal;
    squares += normal * normal;
  }
  for (const auto count : counts)
    CHECK(std::abs(static_cast<double>(count) - 10000) < 500);  // 5 deviations
  CHECK(std::abs(sum / 70000) < 0.02);
  CHECK(std::abs(squares / 70000 - 1) < 0.03);
}
