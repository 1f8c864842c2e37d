# SPDX-License-Identifier: Apache-2.0
# nbs_plugin_compile_options(VARIABLE): what every plugin is compiled with. A default of 0.5 for an option that is an integer
# would silently be 0.
function(nbs_plugin_compile_options variable)
  set(${variable} -Werror=float-conversion PARENT_SCOPE)
endfunction()

# nbs_add_plugin(NAME SOURCES a.cpp … [LIBS …])
# Builds the plugin library libnbs-NAME.so, with - for each _ of NAME, as the target nbs_plugin_NAME. LIBS: what it is linked
# with beside nbs and LibTorch: targets, or names of libraries. Installed with the package, so that plugins outside the tree
# are made the same way.
function(nbs_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  string(REPLACE "_" "-" file_name ${name})
  add_library(nbs_plugin_${name} MODULE ${arg_SOURCES})
  if(TARGET nbs::sdk)
    target_link_libraries(nbs_plugin_${name} PRIVATE nbs::sdk ${arg_LIBS})
  else()
    target_link_libraries(nbs_plugin_${name} PRIVATE nbs_sdk ${arg_LIBS})
  endif()
  set_target_properties(nbs_plugin_${name} PROPERTIES
    OUTPUT_NAME nbs-${file_name} CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    # One RUNPATH for the build tree and the installation: when CMake is to change it, it fills it up with empty parts,
    # each of which is the current folder to the loader.
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH_USE_LINK_PATH ON)
  nbs_plugin_compile_options(options)
  target_compile_options(nbs_plugin_${name} PRIVATE ${options})
  # A missing symbol is an error when the library is linked, not when a run is under way.
  target_link_options(nbs_plugin_${name} PRIVATE -Wl,--no-undefined)
  if(COMMAND nbs_torch_precompiled)
    target_link_libraries(nbs_plugin_${name} PRIVATE nbs_warnings)
    nbs_torch_precompiled(nbs_plugin_${name})
    set_target_properties(nbs_plugin_${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/nbs/plugins)
    install(TARGETS nbs_plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/nbs/plugins)
    add_dependencies(nbs_plugins nbs_plugin_${name})
  endif()
endfunction()
