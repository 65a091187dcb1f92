# Programs beside the library: examples and benchmarks, collected so that `./dev demo` and
# `./dev bench` build and run all of them in the order of their declaration.

# fluxion_example(hello 01_hello.cpp): one program on the public headers alone.
function(fluxion_example name)
  add_executable(${name} ${ARGN})
  fluxion_settings(${name})
  target_link_libraries(${name} PRIVATE Fluxion::fluxion)
  fluxion_needs_compiler(${name})
  set_property(GLOBAL APPEND PROPERTY FLUXION_EXAMPLES ${name})
endfunction()

# fluxion_bench(matmul matmul.cpp): one Google Benchmark program, named bench_matmul.
function(fluxion_bench name)
  add_executable(bench_${name} ${ARGN})
  fluxion_settings(bench_${name})
  target_include_directories(bench_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(bench_${name} PRIVATE Fluxion::fluxion benchmark::benchmark_main)
  fluxion_needs_compiler(bench_${name})
  set_property(GLOBAL APPEND PROPERTY FLUXION_BENCHMARKS bench_${name})
endfunction()

# Makes the target that builds all of them and the list that the script reads.
function(fluxion_collect_programs target property folder)
  get_property(programs GLOBAL PROPERTY ${property})
  add_custom_target(${target})
  if(programs)
    add_dependencies(${target} ${programs})
    list(JOIN programs "\n" text)
    string(APPEND text "\n")
  endif()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${folder}/programs.txt CONTENT "${text}" @ONLY)
endfunction()
