# SPDX-License-Identifier: Apache-2.0
# nbs_plugin_compile_options(VARIABLE): what every plugin is compiled with. A default of 0.5 for an option that is an integer
# would silently be 0.
function(nbs_plugin_compile_options variable)
  set(${variable} -Werror=float-conversion PARENT_SCOPE)
endfunction()

# nbs_add_plugin(NAME SOURCES a.cpp … [LIBS …])
# Builds the plugin library libnbs-NAME.so, with - for each _ of NAME, as the target NAME. LIBS: what it is linked with
# beside nbs and LibTorch: targets, or names of libraries. Installed with the package, so that plugins outside the tree are
# made the same way. In the tree of nbs itself, where names must not meet, the target is nbs_plugin_NAME.
function(nbs_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  string(REPLACE "_" "-" file_name ${name})
  set(in_tree FALSE)
  set(target ${name})
  set(sdk nbs::sdk)
  if(COMMAND nbs_torch_precompiled)
    set(in_tree TRUE)
    set(target nbs_plugin_${name})
    set(sdk nbs_sdk)
  endif()
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${sdk} ${arg_LIBS})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME nbs-${file_name} PREFIX lib CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    # One RUNPATH for the build tree and the installation: when CMake is to change it, it fills it up with empty parts,
    # each of which is the current folder to the loader.
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH_USE_LINK_PATH ON)
  nbs_plugin_compile_options(options)
  target_compile_options(${target} PRIVATE ${options})
  # A missing symbol is an error when the library is linked, not when a run is under way.
  target_link_options(${target} PRIVATE -Wl,--no-undefined)
  if(in_tree)
    target_link_libraries(${target} PRIVATE nbs_warnings)
    nbs_torch_precompiled(${target})
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/nbs/plugins)
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/nbs/plugins COMPONENT runtime)
    add_dependencies(nbs_plugins ${target})
  endif()
endfunction()

# nbs_add_plugin_test(NAME SOURCES a_test.cpp … [LIBS …])
# Outside the tree: builds NAME_test, a doctest program with the plugin that nbs_add_plugin(NAME …) made, and adds it to
# CTest. It needs neither the host nor nbs itself: nbs/testing.h has what stands in for them.
function(nbs_add_plugin_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  if(NOT TARGET ${name})
    message(FATAL_ERROR "there is no plugin ${name} to test; call nbs_add_plugin(${name} …) first")
  endif()
  find_package(doctest REQUIRED)
  # What the plugin was compiled to, not its library: nothing is visible in that but the two symbols of NBS_PLUGIN.
  add_executable(${name}_test ${arg_SOURCES} $<TARGET_OBJECTS:${name}>)
  get_target_property(libraries ${name} LINK_LIBRARIES)
  target_link_libraries(${name}_test PRIVATE ${libraries} doctest::doctest ${arg_LIBS})
  set_target_properties(${name}_test PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  add_test(NAME ${name}_test COMMAND ${name}_test)
endfunction()
