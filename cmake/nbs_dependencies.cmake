# SPDX-License-Identifier: Apache-2.0
# Everything from outside, found in one place. scripts/setup installs the Debian packages.
list(APPEND CMAKE_PREFIX_PATH /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake)
# Debian 13's LibTorch warns that a static library is missing which nothing here needs; an error is still said.
set(nbs_log_level "${CMAKE_MESSAGE_LOG_LEVEL}")
set(CMAKE_MESSAGE_LOG_LEVEL ERROR)
find_package(Torch REQUIRED)
set(CMAKE_MESSAGE_LOG_LEVEL "${nbs_log_level}")
find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(SQLite3 REQUIRED)
# A script, embedded in the pages of reports.
find_path(NBS_DYGRAPHS dygraph.min.js PATHS /usr/share/javascript/dygraphs REQUIRED)
if(NBS_BUILD_TESTS)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(matio REQUIRED IMPORTED_TARGET matio)
  find_package(doctest REQUIRED)
endif()

# Torch's own flags, as one target; its headers are not ours to warn about.
add_library(nbs_torch INTERFACE)
target_include_directories(nbs_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
# at::parallel_for is a template: compiled without OpenMP it silently runs on one core.
target_link_libraries(nbs_torch INTERFACE ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX)
separate_arguments(nbs_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(nbs_torch INTERFACE ${nbs_torch_flags})

add_library(nbs_warnings INTERFACE)
target_compile_options(nbs_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual $<$<BOOL:${NBS_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
  # It is wrong about the std::vector<bool> in LibTorch's Function::apply().
  target_compile_options(nbs_warnings INTERFACE -Wno-array-bounds -Wno-stringop-overflow)
endif()
if(NBS_SANITIZE)
  add_compile_options(-fsanitize=${NBS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${NBS_SANITIZE})
endif()
