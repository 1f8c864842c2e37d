# SPDX-License-Identifier: Apache-2.0
# See CMakeLists.txt. Any step that fails ends the test with that step's output.
include(${CMAKE_CURRENT_LIST_DIR}/runpath.cmake)

function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect text)
  string(FIND "${output}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the output lacks \"${text}\":\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
cmake_path(GET EXAMPLE PARENT_PATH examples)
set(flags "")
if(SANITIZE)
  set(flags -fsanitize=${SANITIZE})
endif()
set(nbs ${SCRATCH}/prefix/${BINDIR}/nbs)
# Nothing from the build tree, the user's plugins or the user's cache.
set(ENV{NBS_PLUGIN_PATH} "")
set(ENV{NBS_WORKER})
set(ENV{XDG_CACHE_HOME} ${SCRATCH}/cache)
set(ENV{OMP_NUM_THREADS} 1)

step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/prefix)
# With the generator of this build, whose program is known to be here: nothing else was installed for it.
step(${CMAKE_COMMAND} -S ${EXAMPLE} -B ${SCRATCH}/plugin -G ${GENERATOR} -DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}
     -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix
     -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_CXX_FLAGS=${flags})
step(${CMAKE_COMMAND} --build ${SCRATCH}/plugin)
check_runpath(${READELF} ${SCRATCH}/prefix ${SCRATCH}/plugin)

step(${nbs} test-plugin ${SCRATCH}/plugin/libnbs-edges.so)
expect("loaded: sampler \"edges\"")
step(${nbs} plugins --plugin-path ${SCRATCH}/plugin)
expect("libnbs-edges.so")
expect("${SCRATCH}/prefix/")  # the built-in ones come from the package
step(${nbs} run ${EXAMPLE}/edges.toml --plugin-path ${SCRATCH}/plugin --run-dir ${SCRATCH}/run --progress none
     --set data.image_size=32 --set data.count=4 --set data.labeled=2 --set profile.patch_size=16 --set profile.length=2
     --set buffer.crop=16 --set train.iterations=4 --set train.patches=4 --set train.minibatch=4 --set train.threads=1
     --set autoencoder.channels=[4] --set autoencoder.bottleneck=4)
file(READ ${SCRATCH}/run/provenance.json output)
expect("\"name\": \"edges\"")
file(READ ${SCRATCH}/run/result.json output)
expect("\"stop_reason\": \"finished\"")

# Programs with libnbs, in C++ and in C, by CMake and by pkg-config: one mask of one image. Its 192 letters are colors.
string(REPEAT "The quick brown fox, 24." 8 colors)
file(WRITE ${SCRATCH}/image.ppm "P6\n8 8\n255\n${colors}")
foreach(example mask-image mask-image-c)
  step(${CMAKE_COMMAND} -S ${examples}/${example} -B ${SCRATCH}/${example} -G ${GENERATOR}
       -DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM} -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix -DCMAKE_CXX_COMPILER=${COMPILER}
       -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_CXX_FLAGS=${flags} -DCMAKE_C_FLAGS=${flags})
  step(${CMAKE_COMMAND} --build ${SCRATCH}/${example})
  string(REPLACE "-" "_" program ${example})
  step(${SCRATCH}/${example}/${program} ${SCRATCH}/run ${SCRATCH}/image.ppm ${SCRATCH}/${example}.pgm)
endforeach()
set(ENV{PKG_CONFIG_PATH} ${SCRATCH}/prefix/${LIBDIR}/pkgconfig)
step(pkg-config --cflags --libs nbs)
separate_arguments(words UNIX_COMMAND "${output}")
step(${COMPILER} -x c -std=c99 ${flags} ${examples}/mask-image-c/mask_image.c -x none ${words}
     -o ${SCRATCH}/by_pkg_config)
set(ENV{LD_LIBRARY_PATH} ${SCRATCH}/prefix/${LIBDIR})
step(${SCRATCH}/by_pkg_config ${SCRATCH}/run ${SCRATCH}/image.ppm ${SCRATCH}/by_pkg_config.pgm)
file(READ ${SCRATCH}/mask-image.pgm cpp HEX)
if(NOT cpp MATCHES "^50350a3820380a3235350a((00|ff)+)$")
  message(FATAL_ERROR "mask_image wrote no mask of 8 x 8 pixels: ${cpp}")
endif()
string(LENGTH ${CMAKE_MATCH_1} digits)
foreach(other mask-image-c by_pkg_config)
  file(READ ${SCRATCH}/${other}.pgm c HEX)
  if(NOT digits EQUAL 128 OR NOT c STREQUAL cpp)
    message(FATAL_ERROR "the masks differ: ${cpp}, but by ${other} ${c}")
  endif()
endforeach()
check_runpath(${READELF} ${SCRATCH}/mask-image ${SCRATCH}/mask-image-c)

file(REMOVE_RECURSE ${SCRATCH})
