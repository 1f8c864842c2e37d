// SPDX-License-Identifier: Apache-2.0
#include "plain.h"

NBS_PLAIN_PLUGIN("empty") {}
