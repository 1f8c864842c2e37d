# SPDX-License-Identifier: Apache-2.0
# See runpath.cmake. First that it finds what is wrong, then the programs and libraries of the build tree.
include(${CMAKE_CURRENT_LIST_DIR}/runpath.cmake)

# What the linker writes for each of these paths, and whether it is to be refused.
function(expect_verdict path refused)
  file(REMOVE_RECURSE ${SCRATCH}/bin)
  file(MAKE_DIRECTORY ${SCRATCH}/bin)
  execute_process(COMMAND ${COMPILER} ${SCRATCH}/empty.cpp -o ${SCRATCH}/bin/empty "-Wl,-rpath,${path}" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_COMMAND} -DREADELF=${READELF} -DFOLDERS=${SCRATCH}/bin -P ${CMAKE_CURRENT_LIST_FILE}
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE error)
  if(refused AND (status EQUAL 0 OR NOT error MATCHES "current[ \n]+folder"))
    message(FATAL_ERROR "the path \"${path}\" was not refused: ${error}")
  elseif(NOT refused AND NOT status EQUAL 0)
    message(FATAL_ERROR "the path \"${path}\" was refused: ${error}")
  endif()
endfunction()
if(SCRATCH)
  file(REMOVE_RECURSE ${SCRATCH})
  file(WRITE ${SCRATCH}/empty.cpp "int main() {}\n")
  foreach(path "/usr/lib/x:" ":/usr/lib/x" "/usr/lib/x::/usr/lib/y" ":" "lib" "/usr/lib/x:lib" "./lib" "ORIGIN")
    expect_verdict(${path} TRUE)
  endforeach()
  foreach(path "/usr/lib/x" "/usr/lib/x:/usr/lib/y" "$ORIGIN/../lib" "/usr/lib/x:$ORIGIN")
    expect_verdict(${path} FALSE)
  endforeach()
  file(REMOVE_RECURSE ${SCRATCH})
endif()

check_runpath(${READELF} ${FOLDERS})
if(runpath_count LESS 1)
  message(FATAL_ERROR "there is no program or library below ${FOLDERS}")
endif()
