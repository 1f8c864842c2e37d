# SPDX-License-Identifier: Apache-2.0
# nbs_embed(TARGET HEADER [NAME file]…): at build time, writes the header HEADER with the text of each file as a constant
# of TARGET's namespace, `inline constexpr char NAME[]`, and makes TARGET able to include it.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(nbs_embed_script ${CMAKE_CURRENT_LIST_FILE})
  function(nbs_embed target header)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
    set(files "")
    set(rest ${ARGN})
    while(rest)
      list(POP_FRONT rest name file)
      list(APPEND files ${file})
    endwhile()
    string(REPLACE ";" "|" pairs "${ARGN}")
    add_custom_command(OUTPUT ${folder}/${header}
                       COMMAND ${CMAKE_COMMAND} -DOUTPUT=${folder}/${header} -DPAIRS=${pairs} -P ${nbs_embed_script}
                       DEPENDS ${files} ${nbs_embed_script} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
                       COMMENT "Embedding ${header}" VERBATIM)
    target_sources(${target} PRIVATE ${folder}/${header})
    target_include_directories(${target} PRIVATE ${folder})
  endfunction()
  return()
endif()

string(REPLACE "|" ";" rest "${PAIRS}")
set(text "// Made by nbs_embed.cmake.\n#pragma once\n\nnamespace nbs::report {\n")
while(rest)
  list(POP_FRONT rest name file)
  file(READ ${file} content)
  # The source map is not there, and looking for it would be a look outside of the page.
  string(REGEX REPLACE "(//|/\\*)# sourceMappingURL=[^\n]*" "" content "${content}")
  foreach(forbidden ")embedded\"" "</script" "</style" "<!--")
    string(FIND "${content}" "${forbidden}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} cannot be embedded: it holds ${forbidden}")
    endif()
  endforeach()
  string(APPEND text "\n// ${file}\ninline constexpr char ${name}[] = R\"embedded(${content})embedded\";\n")
endwhile()
string(APPEND text "\n}  // namespace nbs::report\n")
file(WRITE ${OUTPUT} "${text}")
