# Writes LIST, which declares a ctest test for each GoogleTest suite of PROGRAM. Suites named ...Slow get the label
# slow, others fast. Results go to RESULTS/NAME.xml, where scripts/test counts the cases.
cmake_policy(VERSION 3.25)
execute_process(COMMAND "${PROGRAM}" --gtest_list_tests OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
# "Suite.", or "Suite.  # TypeParam = ..."; the cases below it are indented.
string(REGEX MATCHALL "\n[^ \n]+\\.( [^\n]*)?\n" lines "\n${output}")
set(tests "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "\n([^ ]+)\\..*" "\\1" suite "${line}")
  string(REPLACE "/" "_" name "${ROOM}.${suite}")
  set(label fast)
  if(suite MATCHES "Slow(/[^/]*)?$")
    set(label slow)
  endif()
  # The kernels' threads are the tests' own, so the number of threads is fixed and tests run one at a time;
  # they sleep at barriers, for spinning makes other work on the machine, and with it the tests, many times slower.
  string(APPEND tests "add_test([[${name}]] [[${PROGRAM}]] [[--gtest_filter=${suite}.*]] "
    "[[--gtest_output=xml:${RESULTS}/${name}.xml]])\n"
    "set_tests_properties([[${name}]] PROPERTIES LABELS ${label} TIMEOUT 900 RUN_SERIAL ON "
    "ENVIRONMENT [[OMP_NUM_THREADS=2;GOMP_SPINCOUNT=1000]])\n")
endforeach()
file(WRITE "${LIST}" "${tests}")
