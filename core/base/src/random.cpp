// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/random.h"

#include <locale>
#include <sstream>

#include "nbs/error.h"

namespace nbs {

std::string Random::state() const {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << engine_;
  return text.str();
}

void Random::set_state(const std::string& state) {
  std::istringstream text(state);
  text.imbue(std::locale::classic());
  std::mt19937_64 engine;
  if (!(text >> engine) || !(text >> std::ws).eof())
    throw Error("what was saved of a random source is not what one saves; it is damaged, or of another version");
  engine_ = engine;
}

}  // namespace nbs
