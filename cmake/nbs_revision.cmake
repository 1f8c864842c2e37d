# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=… -DOUTPUT=… -P nbs_revision.cmake: writes the source revision into a header, if it changed. Run at every
# build: a revision taken when the build was configured would be wrong after the next commit.
set(revision "")
if(EXISTS ${SOURCE}/.git)  # not that of a repository around an unpacked archive
  execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY ${SOURCE}
                  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(text "// Made by nbs_revision.cmake.\n#define NBS_REVISION \"${revision}\"\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()
