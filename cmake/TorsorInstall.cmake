# `cmake --install`: the library, the program, the public headers, the configs and the CMake package "torsor".
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/torsor")

# What users of the library need: C++20 and the libraries that public headers include (Eigen, LibTorch, OpenMP). Paths
# and names found on this machine stay in the build; torsorConfig.cmake finds LibTorch again.
target_compile_features(torsor PUBLIC cxx_std_20)
foreach(property INTERFACE_INCLUDE_DIRECTORIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES INTERFACE_LINK_LIBRARIES)
  get_target_property(items torsor ${property})
  set(exported "")
  foreach(item IN LISTS items)
    if(item MATCHES "^/" OR item IN_LIST TORCH_LIBRARIES)
      set(item "$<BUILD_INTERFACE:${item}>")
    endif()
    list(APPEND exported "${item}")
  endforeach()
  set_property(TARGET torsor PROPERTY ${property} "${exported}")
endforeach()

file(RELATIVE_PATH library_from_program "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set_target_properties(torsor_program PROPERTIES INSTALL_RPATH "$ORIGIN/${library_from_program}")
# A LibTorch outside of the system's folders is found where it was when torsor was built.
set_target_properties(torsor torsor_program PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)

install(TARGETS torsor EXPORT torsorTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/torsor)
install(TARGETS torsor_program)
foreach(room physics operators problems solvers)
  install(DIRECTORY ${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/torsor FILES_MATCHING PATTERN "*.h"
          PATTERN main EXCLUDE
          PATTERN command_line.h EXCLUDE)  # the program's own, and the only one that includes Boost
endforeach()
install(DIRECTORY problems/ DESTINATION ${CMAKE_INSTALL_DATADIR}/torsor/problems FILES_MATCHING PATTERN "*.cfg")

install(EXPORT torsorTargets NAMESPACE torsor:: DESTINATION ${package_dir})
configure_package_config_file(cmake/torsorConfig.cmake.in torsorConfig.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(torsorConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/torsorConfig.cmake ${PROJECT_BINARY_DIR}/torsorConfigVersion.cmake
        DESTINATION ${package_dir})
