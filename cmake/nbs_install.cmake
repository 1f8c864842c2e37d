# SPDX-License-Identifier: Apache-2.0
# What is installed, in two components that are also the two Debian packages: runtime (programs, libnbs, built-in plugins,
# pipelines) and dev (what a plugin outside the tree needs: SDK headers, nbs_add_plugin, templates, documents, examples;
# and what a program needs that is linked with libnbs).
include(CMakePackageConfigHelpers)
install(DIRECTORY pipelines/ DESTINATION ${CMAKE_INSTALL_DATADIR}/nbs/pipelines COMPONENT runtime PATTERN results EXCLUDE)

install(DIRECTORY core/sdk/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(FILES core/base/include/nbs/error.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nbs COMPONENT dev)
install(DIRECTORY templates DESTINATION ${CMAKE_INSTALL_DATADIR}/nbs USE_SOURCE_PERMISSIONS COMPONENT dev)
get_target_property(nbs_library_soversion nbs_library SOVERSION)
configure_package_config_file(cmake/nbs-config.cmake.in ${PROJECT_BINARY_DIR}/nbs-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nbs PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# The version that plugins ask for with find_package(nbs 3.0) is that of the SDK.
file(READ core/sdk/include/nbs/api_version.h nbs_api_version)
foreach(part Major Minor)
  string(REGEX MATCH "kApi${part} = ([0-9]+)" found "${nbs_api_version}")
  set(nbs_api_${part} ${CMAKE_MATCH_1})
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS core/sdk/include/nbs/api_version.h)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nbs-config-version.cmake
  VERSION ${nbs_api_Major}.${nbs_api_Minor} COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nbs-config.cmake ${PROJECT_BINARY_DIR}/nbs-config-version.cmake
  cmake/nbs_plugin.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nbs COMPONENT dev)
file(RELATIVE_PATH nbs_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/nbs.pc.in ${PROJECT_BINARY_DIR}/nbs.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/nbs.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

install(FILES completions/nbs.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME nbs COMPONENT runtime)
install(FILES completions/_nbs DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT runtime)
install(FILES completions/nbs.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT runtime)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nbs RENAME copyright COMPONENT runtime)
install(FILES CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nbs COMPONENT runtime)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nbs-dev RENAME copyright COMPONENT dev)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nbs-dev COMPONENT dev)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nbs-dev COMPONENT dev PATTERN build EXCLUDE)

# Pages of the manual: written by nbs itself, with the plugins of this tree and a cache of its own.
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/man/stamp
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${PROJECT_BINARY_DIR}/man
  COMMAND ${CMAKE_COMMAND} -E env XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/man-cache NBS_PLUGIN_PATH= --unset=NBS_WORKER
          $<TARGET_FILE:nbs> reference --format man --out ${PROJECT_BINARY_DIR}/man
  COMMAND ${CMAKE_COMMAND} -E touch ${PROJECT_BINARY_DIR}/man/stamp
  DEPENDS nbs nbs-worker nbs_plugins COMMENT "Pages of the manual" VERBATIM)
add_custom_target(nbs_man ALL DEPENDS ${PROJECT_BINARY_DIR}/man/stamp)
install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT runtime PATTERN stamp EXCLUDE)
include(${CMAKE_CURRENT_LIST_DIR}/nbs_package.cmake)
