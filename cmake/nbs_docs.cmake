# SPDX-License-Identifier: Apache-2.0
# cmake --build build --target docs: the reference of the SDK as web pages, build/sdk-docs/html/index.html. Needs doxygen,
# which nothing else does. Its warnings are errors.
find_program(NBS_DOXYGEN doxygen)
set(nbs_docs_output ${PROJECT_BINARY_DIR}/sdk-docs)
configure_file(docs/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
if(NBS_DOXYGEN)
  add_custom_target(docs COMMAND ${CMAKE_COMMAND} -E make_directory ${nbs_docs_output}
                    COMMAND ${NBS_DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile
                    COMMENT "Reference of the SDK: ${nbs_docs_output}/html/index.html" VERBATIM)
endif()
if(NBS_BUILD_TESTS)
  if(NBS_DOXYGEN)
    add_test(NAME sdk_docs_test COMMAND ${CMAKE_COMMAND} --build ${PROJECT_BINARY_DIR} --target docs)
  else()
    add_test(NAME sdk_docs_test COMMAND ${CMAKE_COMMAND} -E echo "skipped: doxygen is not installed (apt-get install doxygen)")
  endif()
  set_tests_properties(sdk_docs_test PROPERTIES TIMEOUT 60 SKIP_REGULAR_EXPRESSION "^skipped:")
endif()
