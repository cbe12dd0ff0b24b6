# Installs BUILD into a folder of its own, then configures, builds and runs the project of this folder against it.
cmake_policy(VERSION 3.25)
file(REMOVE_RECURSE "${SCRATCH}")
set(prefix "${SCRATCH}/prefix")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN} failed:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${SCRATCH}/build" -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${prefix}" "-DTorch_DIR=${TORCH}"
  "-DWANTED_VERSION=${VERSION}" -DCMAKE_BUILD_TYPE=Release)
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build")
run("${SCRATCH}/build/titles")
if(NOT output MATCHES "(^|\n)burgers: [^\n]+")
  message(FATAL_ERROR "the outside program did not print the title of burgers:\n${output}")
endif()
message(STATUS "${output}")

# Nothing refers to the build, and no header needs a library that torsor keeps to itself.
file(GLOB_RECURSE package_files "${prefix}/*.cmake")
file(GLOB_RECURSE headers "${prefix}/*.h")
foreach(file IN LISTS package_files headers)
  file(READ "${file}" text)
  string(FIND "${text}" "${BUILD}" at)
  if(at GREATER_EQUAL 0)
    message(FATAL_ERROR "${file} names the build folder")
  endif()
  if(file IN_LIST headers AND text MATCHES "#include <((boost|hdf5|H5|sundials|cvode|arkode|zlib|cblas|lapack)[^>]*)>")
    message(FATAL_ERROR "${file} includes <${CMAKE_MATCH_1}>, which users of the package need not have")
  endif()
endforeach()

file(GLOB shipped RELATIVE "${CMAKE_CURRENT_LIST_DIR}/../../problems" "${CMAKE_CURRENT_LIST_DIR}/../../problems/*.cfg")
file(GLOB installed RELATIVE "${prefix}/share/torsor/problems" "${prefix}/share/torsor/problems/*.cfg")
if(NOT installed STREQUAL shipped)
  message(FATAL_ERROR "installed configurations: ${installed}; shipped: ${shipped}")
endif()
