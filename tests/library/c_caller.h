/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Masks a gray image from C. Returns null, or what went wrong. */
const char* mask_from_c(const char* run, const uint8_t* gray, int64_t width, int64_t height, uint8_t* mask);

#ifdef __cplusplus
}
#endif
