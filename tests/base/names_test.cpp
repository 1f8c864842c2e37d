// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/names.h"

#include <doctest/doctest.h>

using namespace nbs;
using Names = std::vector<std::string>;

TEST_CASE("the edit distance counts insertions, deletions, substitutions and swaps of neighbours") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("random", "radnom") == 1);
  CHECK(edit_distance("ca", "abc") == 3);  // optimal string alignment: a swapped pair is not edited again
  CHECK(edit_distance("abc", "abc") == 0);
  CHECK(edit_distance("abc", "cba") == edit_distance("cba", "abc"));
}

TEST_CASE("near names: nearest first, three at most, none that is far") {
  CHECK(nearest_names("randon", {"rl", "heuristic", "random"}) == Names{"random"});
  CHECK(nearest_names("step", {"stem", "steps", "stop", "tip", "step"}) == Names{"step", "stem", "steps"});
  CHECK(nearest_names("xyz", {"rl", "random"}).empty());
  CHECK(nearest_names("", {"rl"}).empty());
  // A part of a name is near, however long the rest.
  CHECK(nearest_names("rate", {"learning_rate"}) == Names{"learning_rate"});
}

TEST_CASE("the question names what is near, and is left out if nothing is") {
  CHECK(did_you_mean("xyz", {"random"}).empty());
  CHECK(did_you_mean("randon", {"random"}) == "; did you mean \"random\"?");
  CHECK(did_you_mean("step", {"stem", "stop"}) == "; did you mean \"stem\" or \"stop\"?");
  CHECK(did_you_mean("step", {"stem", "steps", "stop"}) == "; did you mean \"stem\", \"steps\" or \"stop\"?");
}

TEST_CASE("names too long to be typed by hand are not compared, which would take the product of both lengths") {
  CHECK(nbs::nearest_names(std::string(100, 'x'), {std::string(99, 'x')}).size() == 1);
  CHECK(nbs::nearest_names(std::string(101, 'x'), {std::string(100, 'x')}).empty());
  CHECK(nbs::nearest_names(std::string(100, 'x'), {std::string(101, 'x')}).empty());
}
