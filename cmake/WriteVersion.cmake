# Writes HEADER with VERSION and the commit of SOURCE.
cmake_policy(VERSION 3.25)
set(hash "unknown")
find_program(git git)
if(git)
  # --show-cdup is empty at the top of a work tree: a copy of the sources inside another project has no commit.
  execute_process(COMMAND "${git}" -C "${SOURCE}" rev-parse --show-cdup
    OUTPUT_VARIABLE up RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(status EQUAL 0 AND up STREQUAL "")
    execute_process(COMMAND "${git}" -C "${SOURCE}" rev-parse --short=12 HEAD
      OUTPUT_VARIABLE commit RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(status EQUAL 0)
      set(hash "${commit}")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${HEADER}" CONTENT "#pragma once
#define TORSOR_VERSION \"@VERSION@\"
#define TORSOR_GIT_HASH \"@hash@\"
" @ONLY)
