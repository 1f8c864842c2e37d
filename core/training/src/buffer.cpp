// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/buffer.h"

#include <utility>

namespace nbs::training {

void ProfileBuffer::push(BufferedProfile profile) {
  profiles_.push_back(std::move(profile));
  if (static_cast<std::int64_t>(profiles_.size()) > capacity_) profiles_.pop_front();
}

}  // namespace nbs::training
