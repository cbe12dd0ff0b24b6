# generated/torsor_version.h, written again in every build, but only touched when its content changes. Only
# solvers/cli/version.cpp includes it, so that a new commit compiles one small file.
add_custom_target(torsor_version_header
  COMMAND "${CMAKE_COMMAND}" -D "SOURCE=${PROJECT_SOURCE_DIR}" -D "VERSION=${PROJECT_VERSION}"
          -D "HEADER=${PROJECT_BINARY_DIR}/generated/torsor_version.h" -P "${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake"
  BYPRODUCTS "${PROJECT_BINARY_DIR}/generated/torsor_version.h"
  COMMENT "Asking git for the commit" VERBATIM)
add_dependencies(torsor torsor_version_header)
