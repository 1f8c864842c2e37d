# SPDX-License-Identifier: Apache-2.0
# nbs_module(NAME SOURCES a.cpp … USES modules and libraries seen by users … PRIVATE libraries used inside [TORCH])
# Makes the static library nbs_NAME from core/NAME. TORCH: the module uses LibTorch; it then shares one precompiled header.
function(nbs_module name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;USES;PRIVATE" ${ARGN})
  add_library(nbs_${name} STATIC ${arg_SOURCES})
  target_include_directories(nbs_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_link_libraries(nbs_${name} PUBLIC ${arg_USES} PRIVATE ${arg_PRIVATE} nbs_warnings)
  nbs_compile_as_one(nbs_${name})
  if(arg_TORCH)
    nbs_torch_precompiled(nbs_${name})
  endif()
endfunction()

# nbs_compile_as_one(TARGET): most of a compile are the headers that all files of a target share (LibTorch, CLI11, JSON), so
# the files are compiled as one, which takes a quarter of the time. -DNBS_UNITY=OFF compiles each on its own, which is
# quicker for somebody who changes one file of a module again and again.
function(nbs_compile_as_one target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${NBS_UNITY} UNITY_BUILD_BATCH_SIZE 0)
endfunction()

# nbs_torch_precompiled(TARGET [FLAG…]): LibTorch's headers take most of a compile; one precompiled header serves all targets
# that are compiled with the same FLAGs. It holds what nearly every file uses and no more: with torch/torch.h in it, every
# file takes 4 s longer, for templates that GCC instantiates anew each time, used or not. Networks include their layers.
# What remains of that (1.5 s with GCC 12, also for an empty file) is saved by compiling a target's files as one.
function(nbs_torch_precompiled target)
  string(MAKE_C_IDENTIFIER "nbs_pch${ARGN}" header)
  if(NOT TARGET ${header})
    file(WRITE ${PROJECT_BINARY_DIR}/${header}.cpp "// The owner of a precompiled LibTorch header.\n")
    add_library(${header} STATIC ${PROJECT_BINARY_DIR}/${header}.cpp)
    target_link_libraries(${header} PUBLIC nbs_sdk PRIVATE nbs_warnings)
    target_compile_options(${header} PRIVATE -fvisibility=hidden ${ARGN})
    target_precompile_headers(${header} PRIVATE <torch/types.h> <torch/utils.h> <torch/autograd.h>)
  endif()
  target_compile_options(${target} PRIVATE -fvisibility=hidden ${ARGN})
  target_precompile_headers(${target} REUSE_FROM ${header})
  nbs_compile_as_one(${target})
endfunction()
