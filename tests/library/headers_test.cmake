# SPDX-License-Identifier: Apache-2.0
# The headers of libnbs need nothing but the standard library: the list of what they include, made by the compiler.
file(WRITE ${SCRATCH}/c.c "#include <nbs.h>\n")
file(WRITE ${SCRATCH}/cpp.cpp "#include <nbs/masker.h>\n")
foreach(arguments "-x;c;-std=c99;${SCRATCH}/c.c" "-std=c++17;${SCRATCH}/cpp.cpp")
  execute_process(COMMAND ${COMPILER} -M -I${SOURCE}/core/library/include -I${SOURCE}/core/base/include ${arguments}
                  OUTPUT_VARIABLE included COMMAND_ERROR_IS_FATAL ANY)
  if(NOT included MATCHES "nbs\\.h")
    message(FATAL_ERROR "the compiler does not say what is included: ${included}")
  endif()
  string(REGEX MATCHALL "[^ \n\\]*(torch|c10|ATen|opencv)[^ \n\\]*" foreign "${included}")
  if(foreign)
    message(FATAL_ERROR "the headers of libnbs include ${foreign}")
  endif()
endforeach()
