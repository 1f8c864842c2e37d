/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NBS_H
#define NBS_H

/* libnbs: masks images in memory with a finished run, as `nbs predict` does with files. The interface for C, and for
 * every language that calls C; nbs/masker.h is that for C++. docs/library.md is the manual, with an example.
 *
 * No function throws, prints, or ends the program. Each one that can fail returns a status, and nbs_error() says in a
 * sentence what was wrong and what to do. */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NBS_API __attribute__((visibility("default")))
#else
#define NBS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What came of a call. */
typedef enum nbs_status {
  NBS_OK = 0,
  NBS_WRONG_CALL = 1, /**< an argument cannot be meant (a null pointer, a size, a stride): mend the program */
  NBS_FAILED = 2      /**< the run cannot be used, or the image could not be masked */
} nbs_status;

/** A loaded run. */
typedef struct nbs_masker nbs_masker;

/** How nbs_load() loads a run. All zero (`= {0}`) are the defaults. */
typedef struct nbs_load_options {
  const char* const* plugin_folders; /**< looked into first for the run's plugins; null if there are none */
  size_t plugin_folder_count;
  int allow_changed_plugins; /**< not 0: where the run's own library is not found, another of its name is loaded */
  int64_t threads;           /**< threads that mask one image, up to 1024; 0: as the run was trained with */
  /** Gets every warning, a line without a newline, and `log_user`. Null: warnings are dropped. Called from a thread of
   * the library while nbs_load() or nbs_mask() runs; must neither throw nor call functions of the library. */
  void (*log)(const char* line, void* log_user);
  void* log_user;
} nbs_load_options;

/** How a pixel lies in memory: 8 bit for each channel. Alpha is not looked at. */
typedef enum nbs_format { NBS_GRAY8 = 1, NBS_RGB8 = 2, NBS_BGR8 = 3, NBS_RGBA8 = 4, NBS_BGRA8 = 5 } nbs_format;

/** An image of the caller's, which is only read. */
typedef struct nbs_image {
  const uint8_t* pixels; /**< the first pixel of the first row */
  int64_t width;         /**< in pixels, from 1; at most 2^28 pixels in all */
  int64_t height;        /**< in pixels, from 1 */
  int64_t stride;        /**< bytes from one row to the next; 0: rows without a gap */
  int format;            /**< an nbs_format */
} nbs_image;

/** Where the result goes: memory of the caller's, of the image's width and height, that does not overlap the image.
 * At least one of the two is wanted, the other may be null. */
typedef struct nbs_output {
  uint8_t* mask;              /**< 255 where anomalous, 0 elsewhere */
  int64_t mask_stride;        /**< bytes from one row to the next; 0: rows without a gap */
  float* probability;         /**< of each pixel to be anomalous, 0 to 1 */
  int64_t probability_stride; /**< bytes from one row to the next, a multiple of 4; 0: rows without a gap */
  /** From this probability, 0 to 1, a pixel is anomalous. Null: the threshold that the run has chosen. */
  const double* threshold;
} nbs_output;

/** What a loaded run is like. */
typedef struct nbs_facts {
  double threshold;   /**< that the run has chosen; above 1 if nothing is anomalous */
  int64_t image_size; /**< S: the model sees every image as S x S pixels */
  int64_t threads;    /**< that mask one image */
} nbs_facts;

/** Loads a finished run: its resolved.toml, result.json, provenance.json and model/. The model's files are data, no
 * code. The run's plugins are code: a library is loaded only if its SHA-256 is the one that the run has recorded,
 * unless `options` allows others. `options` may be null. On success `*masker` is the caller's, to be given to
 * nbs_free(); otherwise it is null. Takes from tenths of a second to seconds, most of it for the first run of a
 * process.
 *
 * Each object has a thread of its own, on which all of its work is done, so no setting of the calling thread is
 * changed. Of the process it changes: plugin libraries stay loaded until it ends. While a run is loaded, plugins draw
 * from LibTorch's global generator, whose state is put back afterwards. */
NBS_API nbs_status nbs_load(const char* run_folder, const nbs_load_options* options, nbs_masker** masker);

/** Masks one image. Several threads may call it with one object: they wait for each other, as an image uses all of the
 * object's threads. To mask several images at a time, load the run several times with fewer threads each. After an
 * error, the contents of the output are undefined. */
NBS_API nbs_status nbs_mask(nbs_masker* masker, const nbs_image* image, const nbs_output* output);

/** Says what a loaded run is like. Safe from several threads. */
NBS_API nbs_status nbs_get_facts(const nbs_masker* masker, nbs_facts* facts);

/** Frees a loaded run, which no other thread may use any more. Null is allowed. */
NBS_API void nbs_free(nbs_masker* masker);

/** The sentence of this thread's last call that failed, UTF-8; empty if none has. It stays until the thread's next call
 * that fails. */
NBS_API const char* nbs_error(void);

/** The version of the library, such as "0.1.0". */
NBS_API const char* nbs_version(void);

#ifdef __cplusplus
}
#endif

#endif
