# fluxion_test(trace graph_test.cpp frame_test.cpp): one program per group, registered case by case
# with CTest, so that cases run in parallel and a crash fails one of them.
include(Catch)
function(fluxion_test name)
  add_executable(test_${name} ${ARGN})
  fluxion_settings(test_${name})
  target_link_libraries(test_${name} PRIVATE fluxion_test_main)
  target_precompile_headers(test_${name} REUSE_FROM fluxion_test_main)
  catch_discover_tests(test_${name} TEST_PREFIX "${name}:")
endfunction()
