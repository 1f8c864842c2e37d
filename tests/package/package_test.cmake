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

file(REMOVE_RECURSE ${SCRATCH})
