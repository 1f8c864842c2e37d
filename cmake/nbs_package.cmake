# SPDX-License-Identifier: Apache-2.0
# Debian packages of the two components, for the Debian that this is built on: scripts/package builds them with CPack.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nbs)
set(CPACK_PACKAGE_VENDOR nbs)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds small anomalies in images, from a handful of labeled ones")
set(CPACK_PACKAGE_CONTACT "The nbs developers <nbs@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# Packages of one version for two Debians differ, and their names say it. That for the newer one counts as newer.
cmake_host_system_information(RESULT nbs_debian QUERY DISTRIB_VERSION_ID)
set(CPACK_DEBIAN_PACKAGE_RELEASE "1~deb${nbs_debian}")
set(nbs_package_version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME nbs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "The programs, libnbs, the plugins that come with them, and pipeline files.")
# What programs and plugins are linked with is found by dpkg-shlibdeps. The BLAS is chosen when they start, and with the
# reference one everything takes five times as long.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# What packages of programs depend on that are linked with libnbs. CPack's own would warn of every plugin, which has no
# version in its name.
file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs "libnbs ${nbs_library_soversion} nbs (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/shlibs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS libopenblas0-openmp)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME nbs-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION "For plugins of your own, and programs with libnbs: headers, CMake package, templates of nbs new, documents and examples.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
    "nbs (= ${nbs_package_version}), libtorch-dev, g++, cmake, ninja-build, doctest-dev")
include(CPack)
