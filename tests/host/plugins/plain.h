// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/abi.h"

namespace nbs {
class Registrar;
}

// NBS_PLUGIN for libraries that register nothing, and so need no more of the SDK than the record.
#define NBS_PLAIN_PLUGIN(name)                                                                 \
  extern "C" __attribute__((visibility("default"))) const nbs::AbiRecord nbs_plugin_abi;       \
  const nbs::AbiRecord nbs_plugin_abi = nbs::make_abi_record(name, "1.0.0");                   \
  extern "C" __attribute__((visibility("default"))) void nbs_plugin_register(nbs::Registrar&); \
  void nbs_plugin_register(nbs::Registrar&)
