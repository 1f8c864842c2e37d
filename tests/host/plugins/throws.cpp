// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "plain.h"

NBS_PLAIN_PLUGIN("throws") {
  throw std::runtime_error("the license server is on holiday");
}
