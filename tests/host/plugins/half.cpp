// SPDX-License-Identifier: Apache-2.0
// A record, but nothing that registers.
#include "nbs/abi.h"

extern "C" __attribute__((visibility("default"))) const nbs::AbiRecord nbs_plugin_abi;
const nbs::AbiRecord nbs_plugin_abi = nbs::make_abi_record("half", "1.0.0");
