# SPDX-License-Identifier: Apache-2.0
# The package: programs, built-in plugins, and what a plugin outside the tree needs (SDK headers, nbs_add_plugin).
include(CMakePackageConfigHelpers)
install(DIRECTORY core/sdk/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES core/base/include/nbs/error.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nbs)
install(DIRECTORY pipelines/ DESTINATION ${CMAKE_INSTALL_DATADIR}/nbs/pipelines PATTERN results EXCLUDE)
configure_package_config_file(cmake/nbs-config.cmake.in ${PROJECT_BINARY_DIR}/nbs-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nbs PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nbs-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nbs-config.cmake ${PROJECT_BINARY_DIR}/nbs-config-version.cmake
  cmake/nbs_plugin.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nbs)
