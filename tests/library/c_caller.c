/* SPDX-License-Identifier: Apache-2.0 */
#include "c_caller.h"

#include <nbs.h>

const char* mask_from_c(const char* run, const uint8_t* gray, int64_t width, int64_t height, uint8_t* mask) {
  const nbs_load_options options = {0};
  const nbs_image image = {gray, width, height, 0, NBS_GRAY8};
  nbs_output output = {0};
  nbs_masker* masker = NULL;
  nbs_facts facts;
  output.mask = mask;
  if (nbs_load(run, &options, &masker) != NBS_OK) return nbs_error();
  if (nbs_get_facts(masker, &facts) != NBS_OK) return nbs_error();
  if (facts.image_size != 32) return "the model's size is not 32";
  if (nbs_mask(masker, &image, &output) != NBS_OK) return nbs_error();
  nbs_free(masker);
  return NULL;
}
