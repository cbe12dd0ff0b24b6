# Settings shared by all own code.
add_library(torsor_settings INTERFACE)
target_compile_features(torsor_settings INTERFACE cxx_std_20)
target_compile_options(torsor_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # false alarms of GCC 12 on std::string
if(TORSOR_NATIVE)
  target_compile_options(torsor_settings INTERFACE -march=native)
endif()
if(TORSOR_SANITIZE)
  target_compile_options(torsor_settings INTERFACE -fsanitize=${TORSOR_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(torsor_settings INTERFACE -fsanitize=${TORSOR_SANITIZE})
  # Function clones are resolved before the sanitizers' run time is up.
  target_compile_definitions(torsor_settings INTERFACE TORSOR_NO_CLONES)
endif()

# Third-party headers as system headers, so that only own code is held to the warnings.
function(torsor_use_libraries target)
  target_include_directories(${target} SYSTEM PUBLIC ${TORCH_INCLUDE_DIRS} ${HDF5_INCLUDE_DIRS})
  target_link_libraries(${target} PUBLIC Eigen3::Eigen OpenMP::OpenMP_CXX Threads::Threads ${TORCH_LIBRARIES}
    PRIVATE Boost::program_options ${HDF5_C_LIBRARIES} ${HDF5_C_HL_LIBRARIES} ZLIB::ZLIB
            LAPACK::LAPACK BLAS::BLAS SUNDIALS::cvode SUNDIALS::arkode SUNDIALS::nvecserial
            SUNDIALS::sunmatrixdense SUNDIALS::sunlinsoldense)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                             $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
  target_link_libraries(${target} PRIVATE torsor_settings)
endfunction()
