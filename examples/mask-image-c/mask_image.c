/* SPDX-License-Identifier: Apache-2.0 */
/* mask_image_c RUN IMAGE.ppm MASK.pgm: masks an image with a finished run of nbs. */
#include <stdio.h>
#include <stdlib.h>

#include <nbs.h>

static int fail(const char* sentence) {
  fprintf(stderr, "%s\n", sentence);
  return 1;
}

int main(int count, char** words) {
  nbs_masker* masker = NULL;
  if (count != 4) return fail("usage: mask_image_c RUN IMAGE.ppm MASK.pgm");
  /* Once, then for any number of images. */
  if (nbs_load(words[1], NULL, &masker) != NBS_OK) return fail(nbs_error());

  /* Stands for a camera: an image of 8 bit RGB in memory. */
  FILE* file = fopen(words[2], "rb");
  long width = 0, height = 0;
  if (!file || fscanf(file, "P6 %ld %ld 255", &width, &height) != 2 || fgetc(file) == EOF || width < 1 || height < 1 ||
      width > (1 << 28) / height)
    return fail("the image is no PPM file with 8 bit colors (P6)");
  const size_t size = (size_t)width * (size_t)height;
  unsigned char* pixels = malloc(3 * size);
  unsigned char* mask = malloc(size);
  if (!pixels || !mask || fread(pixels, 3, size, file) != size) return fail("the image is cut short");
  fclose(file);

  const nbs_image image = {.pixels = pixels, .width = width, .height = height, .format = NBS_RGB8};
  const nbs_output output = {.mask = mask};
  if (nbs_mask(masker, &image, &output) != NBS_OK) return fail(nbs_error());

  file = fopen(words[3], "wb");
  if (!file) return fail("the mask cannot be written");
  fprintf(file, "P5\n%ld %ld\n255\n", width, height);
  const int written = fwrite(mask, 1, size, file) == size;
  if (fclose(file) != 0 || !written) return fail("the mask cannot be written");
  free(mask);
  free(pixels);
  nbs_free(masker);
  return 0;
}
